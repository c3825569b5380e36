import { Trans, useLingui } from '@lingui/react/macro';
import { CloudOff, RotateCw } from 'lucide-react';
import { Button } from '../ui/button.tsx';
import { Screen } from '../ui/screen.tsx';

/** The page does not know where its API is. */
export function CannotLoad() {
  const { t } = useLingui();
  return (
    <Screen
      icon={CloudOff}
      tone="alert"
      title={t`The page cannot be loaded`}
      actions={
        <Button look="primary" icon={RotateCw} onPress={() => location.reload()}>
          {t`Try again`}
        </Button>
      }
    >
      <p>
        <Trans>Its settings did not arrive. Check your connection, and try again.</Trans>
      </p>
    </Screen>
  );
}
