/** What somebody chose last time, on this machine. Devices and a name: no token, nothing of a meeting. */
export interface Preferences {
  isCameraOn: boolean;
  isMicrophoneOn: boolean;
  cameraId?: string | undefined;
  microphoneId?: string | undefined;
  speakerId?: string | undefined;
  name?: string | undefined;
}

const STORED = 'meeting-preferences';
const FIRST: Preferences = { isCameraOn: true, isMicrophoneOn: true };

export function readPreferences(): Preferences {
  try {
    const stored: Partial<Preferences> = JSON.parse(localStorage.getItem(STORED) ?? '{}');
    return { ...FIRST, ...stored };
  } catch {
    return FIRST;
  }
}

export function keepPreferences(changes: Partial<Preferences>): void {
  localStorage.setItem(STORED, JSON.stringify({ ...readPreferences(), ...changes }));
}
