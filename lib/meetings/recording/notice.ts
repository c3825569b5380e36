import type { JoinToken } from '../../contract/answers.ts';
import type { Club } from '../model.ts';

/** The recording that is on, as everybody in the meeting may see it. */
export function recordingOn({ recording }: Club): JoinToken['recording'] {
  if (!recording) return null;
  const { recordingId, state, activeSince = null } = recording;
  return { recordingId, state, startedAt: activeSince };
}
