/** The last choices on this machine: devices and a name. No token, and nothing about a meeting. */
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
