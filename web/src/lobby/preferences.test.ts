import { beforeEach, expect, test } from 'vitest';
import { keepPreferences, readPreferences } from './preferences.ts';

beforeEach(() => localStorage.clear());

test('at first camera and microphone are on', () => {
  expect(readPreferences()).toEqual({ isCameraOn: true, isMicrophoneOn: true });
});

test('a change keeps the rest', () => {
  keepPreferences({ isCameraOn: false, name: 'Ada' });
  keepPreferences({ cameraId: 'front' });
  expect(readPreferences()).toEqual({
    isCameraOn: false,
    isMicrophoneOn: true,
    name: 'Ada',
    cameraId: 'front',
  });
});

test('what cannot be read is as at first', () => {
  localStorage.setItem('meeting-preferences', '{"isCameraOn":');
  expect(readPreferences()).toEqual({ isCameraOn: true, isMicrophoneOn: true });
});
