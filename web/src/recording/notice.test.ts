import { describe, expect, test } from 'vitest';
import { type NoticeState, noticeOf, type RecordingOn } from './notice.ts';

const notice = (
  state: RecordingOn['state'] | undefined,
  { hasRecorder = false, isOver = false } = {},
): NoticeState | undefined =>
  noticeOf({ hasRecorder, isOver, recording: state ? { state } : null });

describe('a meeting is shown as recorded', () => {
  test('as soon as its recorder is in the room, before the record is read', () => {
    expect(notice(undefined, { hasRecorder: true })).toBe('on');
    expect(notice('starting', { hasRecorder: true })).toBe('on');
  });

  test('as soon as the record says so, before LiveKit does', () => {
    expect(notice('starting')).toBe('starting');
    expect(notice('active')).toBe('on');
  });

  test('until its recorder is gone, when it is being stopped', () => {
    expect(notice('stopping', { hasRecorder: true })).toBe('stopping');
    expect(notice('stopping')).toBe('saving');
  });

  test('not by the recorder of one that the record has as over: that one stays for a while', () => {
    expect(notice(undefined, { hasRecorder: true, isOver: true })).toBeUndefined();
  });

  test('by that recorder, when the record has the next one', () => {
    expect(notice('starting', { hasRecorder: true, isOver: false })).toBe('on');
  });

  test('not when neither says so', () => {
    expect(notice(undefined)).toBeUndefined();
  });
});
