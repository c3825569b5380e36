/**
 * LiveKit's Egress in memory, and the bucket that it writes to. Recorders go on by themselves when a test
 * says so: `begin` for those that were asked for, `upload` for those that were stopped.
 */
import { MediaUnavailable } from '../../lib/errors.ts';
import type { Egress, FileStore, Recorder } from '../../lib/meetings/recording/ports.ts';

/**
 * The outcome of a request to record. `unanswered`: it records, and its answer is lost. `given up`:
 * LiveKit answers that no recorder is free, and one starts anyway.
 */
export type Starting = 'works' | 'refused' | 'unanswered' | 'given up';

interface KnownEgress extends Egress {
  /** LiveKit goes on saying what it said last. */
  isKilled: boolean;
  /** LiveKit answered that no recorder is free. */
  isGivenUp: boolean;
}

export interface RecorderState {
  egresses: Map<string, KnownEgress>;
  /** Their keys. */
  files: Set<string>;
  onTheWay: Egress[];
  starting: Starting;
  /** No event reports the recordings from now on. */
  isSilent: boolean;
  /** Those that began while another one recorded the room. */
  overlaps: string[];
}

export const noRecordings = (): RecorderState => ({
  egresses: new Map(),
  files: new Set(),
  onTheWay: [],
  starting: 'works',
  isSilent: false,
  overlaps: [],
});

const BYTES = 1000;

const isAsked = ({ state }: Egress) => state === 'starting' || state === 'active';
/** It records, or will. */
export const isAlive = (egress: KnownEgress): boolean => isAsked(egress) && !egress.isKilled;

export function createRecorder(
  now: () => Date,
  state: RecorderState,
  livekit: { isDown(): boolean; exists(roomName: string): boolean },
) {
  const { egresses, files, onTheWay } = state;
  const all = () => [...egresses.values()];
  const known = (egress: KnownEgress): Egress => {
    const { isKilled: _, isGivenUp: __, ...shown } = egress;
    return { ...shown };
  };

  const become = (egress: KnownEgress, to: Egress['state'], facts: Partial<Egress> = {}) => {
    Object.assign(egress, facts, { state: to });
    if (!state.isSilent) onTheWay.push(known(egress));
  };
  const end = (egress: KnownEgress) => {
    if (egress.state === 'active') become(egress, 'stopping');
    else become(egress, 'aborted', { endedAt: now().toISOString() });
  };
  const start = (roomName: string, key: string): KnownEgress => {
    // The key is of one recording, and one is asked for once.
    const egressId = `EG_${key.split('/').at(-1)}`;
    const isGivenUp = state.starting === 'given up';
    if (!isGivenUp && all().some((other) => other.roomName === roomName && isCounted(other))) {
      state.overlaps.push(egressId);
    }
    const egress = { egressId, roomName, key, state: 'starting' as const };
    const own: KnownEgress = { ...egress, isKilled: false, isGivenUp };
    egresses.set(egressId, own);
    become(own, 'starting');
    return own;
  };
  const isCounted = (egress: KnownEgress) => isAlive(egress) && !egress.isGivenUp;
  const unlessDown = async <T>(answer: () => T): Promise<T> => {
    if (livekit.isDown()) throw new MediaUnavailable();
    return answer();
  };

  const recorder: Recorder = {
    async start({ roomName, key }) {
      const cause = new Error(state.starting);
      if (livekit.isDown()) return { outcome: 'unknown', cause };
      if (!livekit.exists(roomName)) return { outcome: 'no-room', cause };
      if (state.starting === 'refused') return { outcome: 'refused', cause };
      const egress = start(roomName, key);
      if (state.starting === 'given up') return { outcome: 'refused', cause };
      if (state.starting === 'unanswered') return { outcome: 'unknown', cause };
      return { outcome: 'started', egress: known(egress) };
    },
    stop: (egressId) =>
      unlessDown(() => {
        const egress = egresses.get(egressId);
        if (egress?.isKilled) return 'unanswered';
        if (egress?.state === 'stopping') return 'stopping';
        if (!egress || !isAsked(egress)) return 'over';
        end(egress);
        return 'stopping';
      }),
    listActive: () =>
      unlessDown(() =>
        all()
          .filter((egress) => isAsked(egress) || egress.state === 'stopping')
          .map(known),
      ),
    listOf: (roomName) =>
      unlessDown(() =>
        all()
          .filter((egress) => egress.roomName === roomName)
          .map(known),
      ),
  };
  const bucket: FileStore = {
    find: async (key) => (files.has(key) ? { bytes: BYTES } : undefined),
    async remove(key) {
      files.delete(key);
    },
    addressOf: async (key) => `http://127.0.0.1:9/${key}`,
  };

  return {
    recorder,
    bucket,
    state,
    inRoom: (roomName: string): Egress[] =>
      all()
        .filter((egress) => egress.roomName === roomName)
        .filter((egress) => egress.state === 'active' && !egress.isKilled),
    /** Those that were asked for record. */
    begin(): void {
      for (const egress of all()) {
        if (egress.state !== 'starting' || egress.isKilled) continue;
        become(egress, 'active', { startedAt: now().toISOString() });
      }
    },
    /** Those that were stopped have put their file. */
    upload(): void {
      for (const egress of all()) {
        if (egress.state !== 'stopping' || egress.isKilled) continue;
        files.add(egress.key);
        become(egress, 'completed', { endedAt: now().toISOString(), durationSeconds: 1 });
      }
    },
    /** Whatever records, starts or uploads is gone, and LiveKit does not see it. */
    kill(): void {
      for (const egress of all()) {
        if (isAsked(egress) || egress.state === 'stopping') egress.isKilled = true;
      }
    },
    /** The room is closed: its recorders end. */
    closed(roomName: string): void {
      for (const egress of all()) {
        if (egress.roomName === roomName && isAlive(egress)) end(egress);
      }
    },
    markDelivered(egress: Egress): void {
      const index = onTheWay.indexOf(egress);
      if (index !== -1) onTheWay.splice(index, 1);
    },
  };
}
