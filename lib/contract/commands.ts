/**
 * What the clubs function answers to each command: the one place for each answer's shape. The rules
 * import the types alone, so that no bundle holds these schemas.
 */
import * as z from 'zod/mini';
import {
  Club,
  ClubId,
  EndedMeeting,
  Instant,
  Meeting,
  Member,
  RecordingAccess,
  RecordingClaim,
  RecordingConsent,
  UserId,
} from '../meetings/model.ts';

/** What the record has something newer of than the command, so that it stays as it is. */
export const StaleField = z.enum(['club', 'membership', 'name', 'role']);
export type StaleField = z.infer<typeof StaleField>;

/** `stale` is absent when nothing was. */
export const Done = z.object({
  done: z.literal(true),
  stale: z.optional(z.array(StaleField)),
});
export type Done = z.infer<typeof Done>;

export const ShownClub = z.object({
  ...z.pick(Club, { clubId: true, name: true, moderatorId: true, createdAt: true }).shape,
  /** A page of them, in the order of their ids. */
  members: z.array(
    z.pick(Member, {
      userId: true,
      displayName: true,
      role: true,
      joinedAt: true,
    }),
  ),
  /** With it the same command shows the next page of members; absent on the last one. */
  cursor: z.optional(UserId),
  recordingConsent: RecordingConsent,
  recordingAccess: RecordingAccess,
  meeting: z.nullable(Meeting),
  recording: z.nullable(RecordingClaim),
  barredUserIds: z.array(UserId),
  lastMeeting: z.nullable(EndedMeeting),
});
export type ShownClub = z.infer<typeof ShownClub>;

export const ListedClubs = z.object({
  /** When the function read them, by its own clock. */
  readAt: Instant,
  /** A page of them, in no order. */
  clubs: z.array(z.pick(Club, { clubId: true, name: true, moderatorId: true, createdAt: true })),
  /** Clubs whose removal broke off: `remove-club` goes on with it. */
  unfinished: z.array(ClubId),
  /** With it the same command lists the next page, which can be empty; absent on the last one. */
  cursor: z.optional(z.string()),
});
export type ListedClubs = z.infer<typeof ListedClubs>;

/** A command that was understood, and not carried out: repeating it changes nothing. */
export const Refusal = z.object({ error: z.string(), code: z.string() });
