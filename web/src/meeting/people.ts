/** Who is shown, and by which name. */
import { useParticipants } from '@livekit/components-react';
import { type Participant, ParticipantKind } from 'livekit-client';
import { useMemo } from 'react';
import { useMembers } from '../api/queries.ts';
import type { Role } from '../clubs/role-badge.tsx';

/** Who calls by telephone or from another network: without an account, so the API knows them by their sid. */
const GUESTS: ParticipantKind[] = [ParticipantKind.SIP, ParticipantKind.CONNECTOR];

export const isGuest = ({ kind }: Pick<Participant, 'kind'>): boolean => GUESTS.includes(kind);

/** Recorders, players and assistants are in the room, and are no people. LiveKit alone sets the kind. */
export const isPerson = (participant: Pick<Participant, 'kind'>): boolean =>
  participant.kind === ParticipantKind.STANDARD || isGuest(participant);

/** The people in the room. */
export function usePeople(): Participant[] {
  const participants = useParticipants();
  return useMemo(() => participants.filter(isPerson), [participants]);
}

/** Roles by the club's record: what LiveKit says of a participant, the participant can change. */
export function useRoles(clubId: string): (identity: string) => Role | undefined {
  const { data } = useMembers(clubId);
  return useMemo(() => {
    const roles = new Map(data?.map(({ userId, role }) => [userId, role]));
    return (identity) => roles.get(identity);
  }, [data]);
}

/** As they call themselves in the room; text, whatever it looks like. */
export const nameOf = ({ name, identity }: Pick<Participant, 'name' | 'identity'>): string =>
  name?.trim() || identity;
