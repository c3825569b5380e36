import type { Participant } from './media.ts';
import { UserId } from './model.ts';

/**
 * Who is in a meeting, out of everything that is connected to its room. The kind decides before the
 * identity: LiveKit alone sets it, and a caller's identity can look like a user id.
 */

/** Has an account: a join token of this service carries their user id as its identity. */
export type Person = Participant & { kind: 'standard' };

/** Has no account: called by telephone or from another network. */
export type Guest = Participant & { kind: 'sip' | 'connector' };

/** Keeps a meeting on, is counted, and takes a place in it. */
export type Attendee = Person | Guest;

export const isPerson = (participant: Participant): participant is Person =>
  participant.kind === 'standard' && UserId.safeParse(participant.identity).success;

export const isGuest = ({ kind }: Participant): boolean => kind === 'sip' || kind === 'connector';

export const isAttendee = (participant: Participant): participant is Attendee =>
  isPerson(participant) || isGuest(participant);
