import { useLingui } from '@lingui/react/macro';
import { LogOut } from 'lucide-react';
import { useState } from 'react';
import { useAccount } from '../auth/account.ts';
import { chooseLocale, LOCALES, type Locale } from '../i18n/i18n.ts';
import { AccountButton } from './account-button.tsx';
import { Menu, MenuItem, MenuSection, MenuSeparator } from './menu.tsx';
import { chooseTheme, currentTheme, type Theme } from './theme.ts';

/** Language, appearance, log out. It opens as it appears. */
export function AccountMenu() {
  const { t, i18n } = useLingui();
  const { logOut } = useAccount();
  const [theme, setTheme] = useState(currentTheme);
  return (
    <Menu label={t`Account`} trigger={<AccountButton />} isOpenAtFirst>
      <MenuSection
        title={t`Language`}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[i18n.locale]}
        onSelectionChange={(keys) => {
          const [locale] = keys as Set<Locale>;
          if (locale) void chooseLocale(locale);
        }}
      >
        {Object.entries(LOCALES).map(([locale, name]) => (
          <MenuItem key={locale} id={locale}>
            {name}
          </MenuItem>
        ))}
      </MenuSection>
      <MenuSection
        title={t`Appearance`}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[theme]}
        onSelectionChange={(keys) => {
          const [chosen] = keys as Set<Theme>;
          if (!chosen) return;
          chooseTheme(chosen);
          setTheme(chosen);
        }}
      >
        <MenuItem id="system">{t`Same as system`}</MenuItem>
        <MenuItem id="light">{t`Light`}</MenuItem>
        <MenuItem id="dark">{t`Dark`}</MenuItem>
      </MenuSection>
      <MenuSeparator />
      <MenuItem icon={LogOut} onAction={logOut}>
        {t`Log out`}
      </MenuItem>
    </Menu>
  );
}
