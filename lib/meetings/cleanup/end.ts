import { tryEndMeeting } from '../ending.ts';
import type { Club, Meeting } from '../model.ts';
import type { EndCondition } from '../ports.ts';
import type { Run } from './types.ts';

const COUNT_OF = { vacant: 'endedVacant', 'max-duration': 'endedMaxDuration' } as const;

export async function endByCleanup(
  run: Run,
  club: Club,
  meeting: Meeting,
  reason: keyof typeof COUNT_OF,
  onlyIf?: EndCondition,
): Promise<void> {
  const ended = await tryEndMeeting(run, club, meeting, { endedBy: null, reason }, onlyIf);
  if (!ended) return;
  run.report[COUNT_OF[reason]] += 1;
  await run.media.deleteRoom(meeting.roomName);
}
