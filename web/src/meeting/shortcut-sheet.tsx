import { Trans, useLingui } from '@lingui/react/macro';
import { Switch } from 'react-aria-components/Switch';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { type Command, KEYS } from './shortcuts.ts';

/** Every key and what it does. */
export function ShortcutSheet({
  isOpen,
  onClose,
  isOn,
  onTurn,
}: {
  isOpen: boolean;
  onClose: () => void;
  isOn: boolean;
  onTurn: (isOn: boolean) => void;
}) {
  const { t } = useLingui();
  const meaning: Record<Command, string> = {
    microphone: t`Microphone on or off`,
    camera: t`Camera on or off`,
    screen: t`Share your screen, or stop`,
    hand: t`Raise or lower your hand`,
    react: t`Reactions`,
    chat: t`Chat`,
    people: t`People`,
    layout: t`Grid or speaker`,
    fullscreen: t`Full screen`,
    help: t`This help`,
  };
  return (
    <Dialog
      title={t`Keyboard shortcuts`}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <Button look="primary" onPress={onClose}>
          {t`Close`}
        </Button>
      }
    >
      <dl className="shortcuts">
        {Object.entries(KEYS).map(([key, command]) => (
          <div key={key} className="shortcuts__row">
            <dt>{meaning[command]}</dt>
            <dd>
              <kbd>{key.toUpperCase()}</kbd>
            </dd>
          </div>
        ))}
      </dl>
      <Switch className="switch" isSelected={isOn} onChange={onTurn}>
        <span className="switch__track" aria-hidden="true" />
        <Trans>Use single keys</Trans>
      </Switch>
    </Dialog>
  );
}
