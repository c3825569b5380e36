/** A camera or a microphone before the meeting: on or off, which one, and what is wrong with it. */
import {
  createLocalAudioTrack,
  createLocalVideoTrack,
  type LocalAudioTrack,
  type LocalVideoTrack,
  VideoPresets,
} from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';

/** `denied` by the person or the system, `in-use` by another program, `missing`: there is none. */
export type Problem = 'denied' | 'in-use' | 'missing' | 'insecure' | 'failed';

export interface Device<Track> {
  isOn: boolean;
  isStarting: boolean;
  track: Track | undefined;
  problem: Problem | undefined;
  deviceId: string | undefined;
  turn(isOn: boolean): void;
  choose(deviceId: string): void;
  /**
   * The track belongs to the meeting from now on, and does not stop with the lobby. A device may still be
   * starting; its promise gives undefined when it does not start. Undefined at once when it is off.
   */
  handOver(): Promise<Track | undefined> | undefined;
}

type Create<Track> = (deviceId: string | undefined) => Promise<Track>;

export const startCamera: Create<LocalVideoTrack> = (deviceId) =>
  createLocalVideoTrack({
    resolution: VideoPresets.h720.resolution,
    ...(deviceId && { deviceId }),
  });

export const startMicrophone: Create<LocalAudioTrack> = (deviceId) =>
  createLocalAudioTrack({ ...(deviceId && { deviceId }) });

/** @param create one of those above */
export function useDevice<Track extends LocalVideoTrack | LocalAudioTrack>(
  create: Create<Track>,
  initial: { isOn: boolean; deviceId: string | undefined },
): Device<Track> {
  const [isOn, setOn] = useState(initial.isOn);
  const [deviceId, setDeviceId] = useState(initial.deviceId);
  const [track, setTrack] = useState<Track>();
  const [problem, setProblem] = useState<Problem>();
  const isHandedOver = useRef(false);
  const starting = useRef<Promise<Track | undefined>>(undefined);

  useEffect(() => {
    if (!isOn) return;
    let isGone = false;
    let own: Track | undefined;
    setProblem(undefined);
    starting.current = create(deviceId).then(
      (created) => {
        if (isGone && !isHandedOver.current) {
          created.stop();
          return undefined;
        }
        own = created;
        if (!isGone) setTrack(created);
        return created;
      },
      (error: unknown) => {
        if (!isGone) {
          setProblem(problemOf(error));
          setOn(false);
        }
        return undefined;
      },
    );
    return () => {
      isGone = true;
      if (isHandedOver.current) return;
      own?.stop();
      starting.current = undefined;
      setTrack(undefined);
    };
  }, [create, isOn, deviceId]);

  return {
    isOn,
    isStarting: isOn && !track,
    track,
    problem,
    deviceId,
    turn: setOn,
    choose: useCallback((chosen: string) => {
      setDeviceId(chosen);
      setOn(true);
    }, []),
    handOver() {
      isHandedOver.current = true;
      return starting.current;
    },
  };
}

/** By the names of https://w3c.github.io/mediacapture-main/#dom-mediadevices-getusermedia */
export function problemOf(error: unknown): Problem {
  if (!navigator.mediaDevices) return 'insecure';
  const { name = '' } = error instanceof Error ? error : {};
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'in-use';
    default:
      return 'failed';
  }
}
