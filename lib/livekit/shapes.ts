import {
  type ParticipantInfo,
  ParticipantInfo_State,
  type Room as SdkRoom,
  type TrackInfo,
  TrackSource,
  TrackType,
} from 'livekit-server-sdk';
import type { Participant, ParticipantKind, Room, Track } from '../meetings/ports.ts';

/** `ParticipantInfo.Kind`, which the SDK does not export, as far as it matters here. */
const PARTICIPANT_KINDS: Record<number, ParticipantKind> = {
  0: 'standard',
  3: 'sip',
  7: 'connector',
};

/** LiveKit's messages as ours. Its times are bigint, which JSON cannot carry. */
export const roomOf = (room: SdkRoom): Room => ({
  name: room.name,
  sid: room.sid,
  createdAt: instant(room.creationTimeMs, room.creationTime),
  participantCount: room.numParticipants,
  metadata: room.metadata,
});

/** Somebody who is still joining, or already gone, is not in the room. */
export const isConnected = ({ state }: ParticipantInfo): boolean =>
  state === ParticipantInfo_State.JOINED || state === ParticipantInfo_State.ACTIVE;

export const participantOf = (participant: ParticipantInfo): Participant => ({
  kind: participant.permission?.hidden ? 'other' : (PARTICIPANT_KINDS[participant.kind] ?? 'other'),
  identity: participant.identity,
  sid: participant.sid,
  name: participant.name,
  joinedAt: instant(participant.joinedAtMs, participant.joinedAt),
  tracks: participant.tracks.map(trackOf),
});

const KINDS: Record<TrackType, Track['kind']> = {
  [TrackType.AUDIO]: 'audio',
  [TrackType.VIDEO]: 'video',
  [TrackType.DATA]: 'data',
};

const SOURCES: Record<TrackSource, Track['source']> = {
  [TrackSource.UNKNOWN]: 'unknown',
  [TrackSource.CAMERA]: 'camera',
  [TrackSource.MICROPHONE]: 'microphone',
  [TrackSource.SCREEN_SHARE]: 'screen_share',
  [TrackSource.SCREEN_SHARE_AUDIO]: 'screen_share_audio',
};

const trackOf = ({ sid, type, source, muted }: TrackInfo): Track => ({
  sid,
  kind: KINDS[type],
  source: SOURCES[source],
  muted,
});

/** Servers before 1.8 know whole seconds only. */
const instant = (ms: bigint, seconds: bigint): string =>
  new Date(Number(ms) || Number(seconds) * 1000).toISOString();
