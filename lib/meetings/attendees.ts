import { UserId } from './model.ts';
import type { Participant } from './ports.ts';

/**
 * Who is in a meeting, out of everything that is connected to its room. The kind decides before the
 * identity: LiveKit alone sets it, and a caller's identity can look like a user id.
 */

/** Somebody with an account: a join token of this service carries their user id as its identity. */
export const isPerson = ({ kind, identity }: Pick<Participant, 'kind' | 'identity'>): boolean =>
  kind === 'standard' && UserId.safeParse(identity).success;

/** Somebody without an account, by telephone or from another network. */
export const isGuest = ({ kind }: Pick<Participant, 'kind'>): boolean =>
  kind === 'sip' || kind === 'connector';

/** Whoever keeps a meeting on, is counted, and takes a place in it. */
export const isAttendee = (participant: Pick<Participant, 'kind' | 'identity'>): boolean =>
  isPerson(participant) || isGuest(participant);
