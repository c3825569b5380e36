import { Check, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection as AriaMenuSection,
  Header,
  type MenuItemProps,
  type MenuSectionProps,
  MenuTrigger,
  Separator,
} from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import './menu.css';

/** A button and what it opens. */
export function Menu({
  trigger,
  label,
  isOpenAtFirst = false,
  children,
}: {
  trigger: ReactNode;
  label: string;
  isOpenAtFirst?: boolean;
  children: ReactNode;
}) {
  return (
    <MenuTrigger defaultOpen={isOpenAtFirst}>
      {trigger}
      <Popover className="popover" offset={6}>
        <AriaMenu className="menu" aria-label={label}>
          {children}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

export function MenuItem({
  icon: Icon,
  tone,
  children,
  ...props
}: Omit<MenuItemProps, 'children'> & {
  icon?: LucideIcon;
  tone?: 'danger';
  children: string;
}) {
  return (
    <AriaMenuItem
      {...props}
      textValue={children}
      className={tone === 'danger' ? 'menu__item menu__item--danger' : 'menu__item'}
    >
      {({ isSelected, selectionMode }) => (
        <>
          {selectionMode === 'none' ? (
            Icon && <Icon size={18} aria-hidden="true" />
          ) : (
            <Check size={18} aria-hidden="true" className={isSelected ? '' : 'menu__unchecked'} />
          )}
          {children}
        </>
      )}
    </AriaMenuItem>
  );
}

export function MenuSection<T extends object>({
  title,
  children,
  ...props
}: Omit<MenuSectionProps<T>, 'children'> & { title: string; children: ReactNode }) {
  return (
    <AriaMenuSection {...props} className="menu__section">
      <Header className="menu__header">{title}</Header>
      {children}
    </AriaMenuSection>
  );
}

export const MenuSeparator = () => <Separator className="menu__separator" />;
