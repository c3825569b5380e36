/** One person's way through a meeting: lobby, joining, in, lost and back, out. */
import { useLingui } from '@lingui/react/macro';
import {
  ConnectionError,
  ConnectionState,
  DisconnectReason,
  type LocalTrack,
  Room,
  RoomEvent,
  VideoPresets,
} from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { JoinToken } from '../../../lib/contract/answers.ts';
import { useApi } from '../api/queries.ts';
import type { LobbyChoice } from '../lobby/lobby.tsx';
import { notify } from '../ui/announcer.tsx';
import { type Exit, JoinFailed, join, type Trouble } from './joining.ts';

export type Phase =
  | { at: 'lobby' }
  | { at: 'joining'; trouble: Trouble | undefined }
  | { at: 'in'; token: JoinToken; rejoining: { trouble: Trouble | undefined } | undefined }
  | { at: 'out'; exit: Exit };

export interface Meeting {
  phase: Phase;
  room: Room;
  /** The club requires consent, and a recording is on: {@link answerConsent} goes on. */
  isConsentAsked: boolean;
  answerConsent(agrees: boolean): void;
  enter(choice: LobbyChoice): void;
  leave(): void;
  /** Does not wait for the next attempt. */
  tryNow(): void;
  backToLobby(): void;
}

const newRoom = () =>
  new Room({
    adaptiveStream: true,
    dynacast: true,
    videoCaptureDefaults: { resolution: VideoPresets.h720.resolution },
  });

/** @param createRoom LiveKit's, unless a test has one of its own */
export function useMeeting(clubId: string, createRoom: () => Room = newRoom): Meeting {
  const { t } = useLingui();
  const api = useApi();
  const [room] = useState(createRoom);
  const [phase, setPhase] = useState<Phase>({ at: 'lobby' });
  const attempt = useRef<{ controller: AbortController; hurry: () => void }>(undefined);
  const name = useRef<string>(undefined);
  const [question, setQuestion] = useState<{ answer: (agrees: boolean) => void }>();
  const meetingId = useRef<string>(undefined);

  const giveUp = useCallback(() => {
    attempt.current?.controller.abort();
    attempt.current?.hurry();
    attempt.current = undefined;
  }, []);

  /** Whether it got in. */
  const tryToJoin = useCallback(
    async (
      onTrouble: (trouble: Trouble) => void,
      publish: () => Promise<void>,
      { hasConsent = false } = {},
    ) => {
      giveUp();
      const controller = new AbortController();
      let hurry = () => {};
      attempt.current = { controller, hurry: () => hurry() };
      const result = await join({
        signal: controller.signal,
        meetingId: meetingId.current,
        hasConsent,
        requestToken: (options) => api.token(clubId, name.current, options),
        async askConsent() {
          const { promise, resolve } = Promise.withResolvers<boolean>();
          controller.signal.addEventListener('abort', () => resolve(false));
          setQuestion({ answer: resolve });
          return promise.finally(() => setQuestion(undefined));
        },
        connect: ({ serverUrl, token }) => connect(room, serverUrl, token),
        wait: (ms) =>
          new Promise((resolve) => {
            const timer = setTimeout(resolve, ms);
            hurry = () => {
              clearTimeout(timer);
              resolve();
            };
          }),
        onTrouble,
      });
      if (!result) return false;
      if ('exit' in result) {
        setPhase({ at: 'out', exit: result.exit });
        return false;
      }
      meetingId.current = result.token.meetingId;
      setPhase({ at: 'in', token: result.token, rejoining: undefined });
      try {
        await publish();
      } catch {
        const isOut = controller.signal.aborted || room.state !== ConnectionState.Connected;
        if (!isOut) {
          notify(t`Not all of your devices started. Switch them on again below.`, 'failure');
        }
      }
      return true;
    },
    [api, clubId, room, giveUp, t],
  );

  const enter = useCallback(
    ({ name: chosen, tracks, speakerId, hasConsent }: LobbyChoice) => {
      name.current = chosen;
      setPhase({ at: 'joining', trouble: undefined });
      void tryToJoin(
        (trouble) => setPhase({ at: 'joining', trouble }),
        async () => {
          if (speakerId) await room.switchActiveDevice('audiooutput', speakerId).catch(() => false);
          await Promise.all(
            tracks.map(async (starting) => {
              const track = await starting;
              if (!track) throw new Error('The device does not start');
              // LiveKit's types and `exactOptionalPropertyTypes` disagree about a track's processor.
              await room.localParticipant.publishTrack(track as LocalTrack);
            }),
          );
        },
        { hasConsent },
      ).then((isIn) => {
        // Without a connection the camera stops, and its light goes out.
        if (!isIn) for (const starting of tracks) void starting.then((track) => track?.stop());
      });
    },
    [room, tryToJoin],
  );

  // What was on before the connection was lost is on again after it.
  const rejoin = useCallback(
    (token: JoinToken, wasOn: { microphone: boolean; camera: boolean }) => {
      setPhase({ at: 'in', token, rejoining: { trouble: undefined } });
      void tryToJoin(
        (trouble) => setPhase({ at: 'in', token, rejoining: { trouble } }),
        async () => {
          if (wasOn.microphone) await room.localParticipant.setMicrophoneEnabled(true);
          if (wasOn.camera) await room.localParticipant.setCameraEnabled(true);
        },
      );
    },
    [room, tryToJoin],
  );

  useEffect(() => {
    if (phase.at !== 'in' || phase.rejoining) return;
    const { token } = phase;
    const wasOn = mediaOf(room);
    const remember = () => {
      if (room.state === 'connected') Object.assign(wasOn, mediaOf(room));
    };
    const onDisconnected = (reason?: DisconnectReason) => {
      const exit = exitOf(reason, token);
      if (exit) setPhase({ at: 'out', exit });
      else rejoin(token, wasOn);
    };
    const changes = [
      RoomEvent.LocalTrackPublished,
      RoomEvent.TrackMuted,
      RoomEvent.TrackUnmuted,
    ] as const;
    // The connection was lost before the listeners were added.
    if (room.state === ConnectionState.Disconnected) onDisconnected();
    for (const change of changes) room.on(change, remember);
    room.on(RoomEvent.Disconnected, onDisconnected);
    return () => {
      for (const change of changes) room.off(change, remember);
      room.off(RoomEvent.Disconnected, onDisconnected);
    };
  }, [phase, room, rejoin]);

  const leave = useCallback(() => {
    giveUp();
    setPhase({ at: 'out', exit: { kind: 'left' } });
    void room.disconnect();
  }, [room, giveUp]);

  useEffect(
    () => () => {
      giveUp();
      void room.disconnect();
    },
    [room, giveUp],
  );

  const backToLobby = useCallback(() => {
    giveUp();
    setPhase({ at: 'lobby' });
    void room.disconnect();
  }, [room, giveUp]);

  return {
    phase,
    room,
    isConsentAsked: question !== undefined,
    answerConsent(agrees) {
      question?.answer(agrees);
      if (agrees) return;
      if (phase.at === 'in') leave();
      else backToLobby();
    },
    enter,
    leave,
    tryNow: useCallback(() => attempt.current?.hurry(), []),
    backToLobby,
  };
}

const mediaOf = ({ localParticipant }: Room) => ({
  microphone: localParticipant.isMicrophoneEnabled,
  camera: localParticipant.isCameraEnabled,
});

/** The error's own message holds the whole token: nothing of it goes on. */
async function connect(room: Room, serverUrl: string, token: string): Promise<void> {
  try {
    await room.connect(serverUrl, token);
  } catch (error) {
    throw new JoinFailed(error instanceof ConnectionError ? error.status : undefined);
  }
}

/** Undefined: the connection was lost, and a new token may bring it back. */
function exitOf(reason: DisconnectReason | undefined, { meetingId }: JoinToken): Exit | undefined {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return { kind: 'left' };
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return { kind: 'over', meetingId };
    case DisconnectReason.PARTICIPANT_REMOVED:
      return { kind: 'removed' };
    case DisconnectReason.DUPLICATE_IDENTITY:
      return { kind: 'elsewhere' };
    default:
      return undefined;
  }
}
