import * as z from 'zod/mini';
import { MediaUnavailable } from '../errors.ts';
import type { Timed } from '../meetings/ports.ts';
import type { Egress, Recorder, StartOutcome, StopOutcome } from '../meetings/recording/ports.ts';
import { EgressMessage, egressOf, list, message } from './mapping.ts';
import { classify } from './service.ts';
import type { LiveKitSettings } from './settings.ts';
import { type Call, createLiveKitClients, Refusal, type TwirpOptions } from './twirp.ts';

/**
 * LiveKit answers a start that finds no recorder after 21 to 24 s (seen with 1.13.5), and one that finds
 * it after what the recorder takes.
 */
const START_TIMEOUT_MS = 26_000;
/** It waits 3 s itself for a recorder that does not answer, and for each that has ended. */
const STOP_TIMEOUT_MS = 6_000;
/** Far more than a project records at once: 100 a page. */
const MAX_PAGES = 50;

/** Where files go. */
export interface UploadBucket {
  bucket: string;
  /** Of an S3 of this machine, with the bucket in the path. */
  endpoint?: string | undefined;
}

export interface RecorderOptions extends TwirpOptions {
  timed?: Timed;
  stopTimeoutMs?: number;
}

const EgressList = message({
  items: list(EgressMessage),
  nextPageToken: z.optional(message({ token: z._default(z.string(), '') })),
});

/** LiveKit's Egress: https://docs.livekit.io/reference/server/egress/ */
export function createRecorder(
  settings: () => Promise<LiveKitSettings>,
  bucket: UploadBucket,
  { timed = (call) => call(), stopTimeoutMs = STOP_TIMEOUT_MS, ...options }: RecorderOptions = {},
): Recorder {
  const clientOf = createLiveKitClients(settings, options);

  const ask = async (request: Pick<Call, 'method' | 'message' | 'once'>): Promise<unknown> => {
    const call = await clientOf();
    return timed((signal) => call({ ...request, grant: { roomRecord: true }, signal }));
  };

  const listAll = async (filter: object): Promise<Egress[]> => {
    const found: Egress[] = [];
    let token = '';
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await ask({
        method: 'Egress/ListEgress',
        message: { ...filter, ...(token && { pageToken: { token } }) },
      }).catch((error) => {
        throw classify(error);
      });
      const { data } = EgressList.safeParse(answer);
      if (!data) throw notLiveKits('Egress/ListEgress');
      found.push(...data.items.map(egressOf));
      token = data.nextPageToken?.token ?? '';
      if (token === '') return found;
    }
    throw new MediaUnavailable({ cause: new Error('LiveKit lists recordings without an end') });
  };

  return {
    async start({ roomName, key, audioOnly }): Promise<StartOutcome> {
      const { recordingUpload } = await settings();
      const upload = recordingUpload && {
        s3: {
          ...recordingUpload,
          bucket: bucket.bucket,
          ...(bucket.endpoint && { endpoint: bucket.endpoint, forcePathStyle: true }),
        },
      };
      const file = {
        fileType: audioOnly ? 'OGG' : 'MP4',
        filepath: key,
        // Otherwise Egress writes a second object, named like the egress, which no row lists.
        disableManifest: true,
        // Without it, a recorder of one's own puts files where its configuration says.
        ...upload,
      };
      let answer: unknown;
      try {
        answer = await ask({
          method: 'Egress/StartRoomCompositeEgress',
          message: {
            roomName,
            audioOnly,
            ...(!audioOnly && { layout: 'grid' }),
            fileOutputs: [file],
          },
          once: { timeoutMs: START_TIMEOUT_MS },
        });
      } catch (cause) {
        return { outcome: outcomeOf(cause), cause };
      }
      const { data } = EgressMessage.safeParse(answer);
      return data && data.egressId !== ''
        ? { outcome: 'started', egress: egressOf(data) }
        : { outcome: 'unknown', cause: notLiveKits('Egress/StartRoomCompositeEgress') };
    },

    async stop(egressId): Promise<StopOutcome> {
      try {
        await ask({
          method: 'Egress/StopEgress',
          message: { egressId },
          once: { timeoutMs: stopTimeoutMs },
        });
        return 'stopping';
      } catch (error) {
        const code = error instanceof Refusal ? error.code : undefined;
        if (code === 'not_found' || code === 'failed_precondition') return 'over';
        if (code === 'deadline_exceeded' || code === 'unavailable') return 'unanswered';
        throw classify(error);
      }
    },

    listActive: () => listAll({ active: true }),

    listOf: (roomName) => listAll({ roomName }),
  };
}

/**
 * What a start that threw came to. Only LiveKit itself can say that nothing records: something in front
 * of it cannot, nor can an error in the middle of it, such as when its Redis goes.
 */
function outcomeOf(error: unknown): 'refused' | 'no-room' | 'unknown' {
  if (error instanceof Refusal) {
    if (error.code === 'not_found') return 'no-room';
    if (error.code === 'unavailable') return 'refused';
    return error.code !== undefined && error.status < 500 && error.status !== 408
      ? 'refused'
      : 'unknown';
  }
  return isUnsent(error) ? 'refused' : 'unknown';
}

/** No connection came about. */
function isUnsent(error: unknown): boolean {
  const cause = error instanceof TypeError ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(code);
}

const notLiveKits = (method: string): MediaUnavailable =>
  new MediaUnavailable({ cause: new Error(`The answer to ${method} is not LiveKit's`) });
