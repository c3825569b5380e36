/** Checked by the compiler, in `npm run check`: an answer's schema is its use case's type. */
import { expectTypeOf, test } from 'vitest';
import type * as z from 'zod';
import type { endMeeting } from '../lib/meetings/end.ts';
import type { Followed } from '../lib/meetings/follow.ts';
import type { getMeeting, listMeetings } from '../lib/meetings/history.ts';
import type * as moderation from '../lib/meetings/moderation.ts';
import type { startMeeting } from '../lib/meetings/start.ts';
import type { getMeetingStatus } from '../lib/meetings/status.ts';
import type { createJoinToken } from '../lib/meetings/token.ts';
import type * as answers from './answers.ts';

type Answer<UseCase extends (...args: never[]) => unknown> = Awaited<ReturnType<UseCase>>;
type Documented<Name extends keyof typeof answers> = z.infer<(typeof answers)[Name]>;

test('each answer is documented as what its use case returns', () => {
  expectTypeOf<Documented<'JoinToken'>>().toEqualTypeOf<Answer<typeof createJoinToken>>();
  expectTypeOf<Documented<'StartedMeeting'>>().toEqualTypeOf<Answer<typeof startMeeting>>();
  expectTypeOf<Documented<'EndAnswer'>>().toEqualTypeOf<Answer<typeof endMeeting>>();
  expectTypeOf<Documented<'MeetingStatus'>>().toEqualTypeOf<Answer<typeof getMeetingStatus>>();
  expectTypeOf<Documented<'MeetingList'>>().toEqualTypeOf<Answer<typeof listMeetings>>();
  expectTypeOf<Documented<'WebhookAnswer'>>().toEqualTypeOf<{ result: Followed }>();
  expectTypeOf<Documented<'ParticipantList'>>().toEqualTypeOf<
    Answer<typeof moderation.listParticipants>
  >();
  expectTypeOf<Documented<'Muted'>>().toEqualTypeOf<Answer<typeof moderation.muteParticipant>>();
  expectTypeOf<Documented<'Muted'>>().toEqualTypeOf<Answer<typeof moderation.muteEverybody>>();
  expectTypeOf<Documented<'Readmitted'>>().toEqualTypeOf<
    Answer<typeof moderation.readmitParticipant>
  >();
});

// Intersections there, plain objects here.
test('so are those that are put together of several types', () => {
  expectTypeOf<Documented<'MeetingDetails'>>().branded.toEqualTypeOf<Answer<typeof getMeeting>>();
  expectTypeOf<Documented<'Removed'>>().branded.toEqualTypeOf<
    Answer<typeof moderation.removeParticipant>
  >();
  expectTypeOf<Documented<'RoleSet'>>().branded.toEqualTypeOf<Answer<typeof moderation.setRole>>();
});
