import { useLingui } from '@lingui/react/macro';
import { useMediaDeviceSelect } from '@livekit/components-react';
import { keepPreferences, type Preferences } from '../lobby/preferences.ts';
import { notify } from '../ui/announcer.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Select } from '../ui/select.tsx';

/** Another camera, microphone or speaker, without leaving. */
export function DeviceDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useLingui();
  return (
    <Dialog
      title={t`Devices`}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <Button look="primary" onPress={onClose}>
          {t`Close`}
        </Button>
      }
    >
      <DeviceSelect kind="audioinput" label={t`Microphone`} kept="microphoneId" />
      <DeviceSelect kind="videoinput" label={t`Camera`} kept="cameraId" />
      {'setSinkId' in HTMLMediaElement.prototype && (
        <DeviceSelect kind="audiooutput" label={t`Speaker`} kept="speakerId" />
      )}
    </Dialog>
  );
}

function DeviceSelect({
  kind,
  label,
  kept,
}: {
  kind: MediaDeviceKind;
  label: string;
  kept: keyof Preferences;
}) {
  const { t } = useLingui();
  const { devices, activeDeviceId, setActiveMediaDevice } = useMediaDeviceSelect({ kind });
  const options = devices
    .filter(({ deviceId }) => deviceId !== '')
    .map((device, index) => ({
      id: device.deviceId,
      name: device.label || t`Device ${index + 1}`,
    }));
  return (
    <Select
      label={label}
      options={options}
      selected={activeDeviceId}
      placeholder={t`The system’s own`}
      onSelect={(id) => {
        setActiveMediaDevice(id).then(
          () => keepPreferences({ [kept]: id }),
          () => notify(t`This device does not start.`, 'failure'),
        );
      }}
    />
  );
}
