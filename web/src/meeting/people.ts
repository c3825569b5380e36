/** Who is shown, and by which name. */
import { useParticipants } from '@livekit/components-react';
import { type Participant, ParticipantKind } from 'livekit-client';
import { useMemo } from 'react';
import { useMembers } from '../api/queries.ts';
import type { Role } from '../clubs/role-badge.tsx';

/** Recorders, players and assistants are in the room, and are no people. */
const MACHINES: ParticipantKind[] = [
  ParticipantKind.AGENT,
  ParticipantKind.EGRESS,
  ParticipantKind.INGRESS,
];

export const isPerson = ({ kind }: Pick<Participant, 'kind'>): boolean => !MACHINES.includes(kind);

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
