import { useEffect, useState } from 'react';

/**
 * The machine's devices, as they come and go. The browser gives their names once it may use one, so the
 * list is read again when `permission` changes.
 */
export function useDeviceList(permission: unknown): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `permission` is the reason to read again.
  useEffect(() => {
    const { mediaDevices } = navigator;
    if (!mediaDevices) return;
    let isGone = false;
    const read = () =>
      void mediaDevices.enumerateDevices().then(
        (found) => isGone || setDevices(found.filter(({ deviceId }) => deviceId !== '')),
        () => undefined,
      );
    read();
    mediaDevices.addEventListener('devicechange', read);
    return () => {
      isGone = true;
      mediaDevices.removeEventListener('devicechange', read);
    };
  }, [permission]);
  return devices;
}
