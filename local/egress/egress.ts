/**
 * LiveKit's Egress RPCs, answered for development: an audio-only room composite to Ogg in S3, and nothing
 * else. What it cannot do it refuses, as LiveKit's own service refuses a wrong request.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { proto3, ScalarType } from '@bufbuild/protobuf';
import {
  EgressInfo,
  EgressSourceType,
  EgressStatus,
  EncodedFileType,
  FileInfo,
  RoomCompositeEgressRequest,
  StopEgressRequest,
} from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import type { Bus } from './bus.ts';
import { type Call, createClient, RpcError, serve } from './psrpc.ts';
import { type Recording, record } from './recording.ts';
import { type Output, putFile, redacted } from './upload.ts';

interface EgressSettings {
  wsUrl: string;
  apiKey: string;
  apiSecret: string;
  /** Where files are until they are uploaded. */
  folder: string;
}

/** `rpc.StartEgressRequest`, which `@livekit/protocol` leaves out. */
const StartRequest = proto3.makeMessageType('rpc.StartEgressRequest', () => [
  { no: 1, name: 'egress_id', kind: 'scalar', T: ScalarType.STRING },
  { no: 3, name: 'room_id', kind: 'scalar', T: ScalarType.STRING },
  { no: 5, name: 'room_composite', kind: 'message', T: RoomCompositeEgressRequest },
]);

const UPDATE_TIMEOUT_MS = 3_000;
/** An update is lost while Redis is gone. */
const UPDATE_ATTEMPTS = 10;
const TOKEN_TTL_SECONDS = 24 * 60 * 60;
const NANOSECONDS_A_MS = 1_000_000n;

/** Serves until the answer is called, which completes the recordings that are on. */
export async function serveEgress(
  bus: Bus,
  settings: EgressSettings,
): Promise<() => Promise<void>> {
  await mkdir(settings.folder, { recursive: true });
  const io = await createClient(bus, 'IOInfo');
  const active = new Map<string, Egress>();

  const stopServing = await serve(
    bus,
    { service: 'EgressInternal', method: 'StartEgress' },
    async (bytes) => {
      const { egressId, roomId, roomComposite } = StartRequest.fromBinary(bytes);
      const output = outputOf(roomComposite);
      const egress = createEgress(io, settings, {
        egressId,
        roomId,
        request: roomComposite,
        output,
      });
      active.set(egressId, egress);
      const stopStops = await serve(
        bus,
        { service: 'EgressHandler', method: 'StopEgress', topic: egressId },
        async (stop) => egress.stop(StopEgressRequest.fromBinary(stop)).toBinary(),
      );
      void egress.ended.then(() => {
        stopStops();
        active.delete(egressId);
      });
      return egress.info().toBinary();
    },
  );

  return async () => {
    stopServing();
    await Promise.all(
      [...active.values()].map((egress) => {
        egress.stop();
        return egress.ended;
      }),
    );
  };
}

/** @throws RpcError `invalid_argument` for everything but an audio-only room composite to one S3 file */
function outputOf(request: RoomCompositeEgressRequest | undefined): Output {
  const refuse = (what: string): never => {
    throw new RpcError('invalid_argument', `The development recorder ${what}`);
  };
  if (!request) return refuse('records rooms only, not tracks, participants or pages');
  const {
    fileOutputs,
    streamOutputs,
    segmentOutputs,
    imageOutputs,
    output,
    layout,
    customBaseUrl,
  } = request;
  if (!request.audioOnly) return refuse('records audio only: set audio_only');
  if (layout !== '' || customBaseUrl !== '') return refuse('draws no layout');
  const others = [...streamOutputs, ...segmentOutputs, ...imageOutputs];
  const [file, ...more] = fileOutputs;
  // The SDK sends a single file twice: as the deprecated `file` as well.
  const isOther = output.case !== undefined && output.case !== 'file';
  if (!file || more.length > 0 || others.length > 0 || isOther) {
    return refuse('writes exactly one file');
  }
  const { fileType, filepath, output: target } = file;
  if (![EncodedFileType.DEFAULT_FILETYPE, EncodedFileType.OGG].includes(fileType)) {
    return refuse('writes Ogg only');
  }
  const isPath =
    filepath !== '' && !filepath.split('/').some((part) => ['', '.', '..'].includes(part));
  if (!isPath || /[{}]/.test(filepath)) return refuse('needs a plain file path');
  if (target.case !== 's3') return refuse('uploads to S3 only');
  return { key: filepath, s3: target.value };
}

type Egress = ReturnType<typeof createEgress>;

function createEgress(
  io: Call,
  settings: EgressSettings,
  {
    egressId,
    roomId,
    request,
    output,
  }: { egressId: string; roomId: string; request: RoomCompositeEgressRequest; output: Output },
) {
  const file = new FileInfo({ filename: output.key });
  const info = new EgressInfo({
    egressId,
    roomId,
    roomName: request.roomName,
    sourceType: EgressSourceType.SDK,
    status: EgressStatus.EGRESS_STARTING,
    request: { case: 'roomComposite', value: redacted(request) },
    fileResults: [file],
  });
  const stopped = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();

  const now = (): bigint => BigInt(Date.now()) * NANOSECONDS_A_MS;

  async function update(change: Partial<EgressInfo>): Promise<void> {
    Object.assign(info, change, { updatedAt: now() });
    const bytes = info.toBinary();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await io('UpdateEgress', bytes, UPDATE_TIMEOUT_MS);
        return;
      } catch (error) {
        if (attempt === UPDATE_ATTEMPTS) throw error;
      }
    }
  }

  const end = (status: EgressStatus, change: Partial<EgressInfo> = {}): Promise<void> =>
    update({ status, endedAt: now(), ...change });

  async function run(): Promise<void> {
    const recording = await Promise.race([
      record(
        { wsUrl: settings.wsUrl, token: await tokenOf(egressId, request.roomName, settings) },
        join(settings.folder, `${egressId}.ogg`),
      ),
      stopped.promise.then(() => undefined),
    ]);
    if (!recording) {
      await end(EgressStatus.EGRESS_ABORTED, {
        error: 'Start signal not received',
        errorCode: 412,
      });
      return;
    }
    const startedAt = BigInt(recording.startedAtMs) * NANOSECONDS_A_MS;
    Object.assign(file, { startedAt });
    await update({ status: EgressStatus.EGRESS_ACTIVE, startedAt });
    const reason = await Promise.race([
      stopped.promise,
      recording.sourceClosed.then(() => 'Source closed'),
    ]);
    await complete(recording, reason);
  }

  async function complete(recording: Recording, reason: string): Promise<void> {
    const [recorded] = await Promise.all([
      recording.finish(),
      update({ status: EgressStatus.EGRESS_ENDING, details: `End reason: ${reason}` }),
    ]);
    try {
      await putFile(output, await readFile(recorded.path));
    } catch (error) {
      await end(EgressStatus.EGRESS_FAILED, {
        error: `S3 upload failed: ${error}`,
        errorCode: 400,
      });
      return;
    } finally {
      await rm(recorded.path, { force: true });
    }
    Object.assign(file, {
      endedAt: BigInt(recorded.endedAtMs) * NANOSECONDS_A_MS,
      duration: BigInt(recorded.endedAtMs - recorded.startedAtMs) * NANOSECONDS_A_MS,
      size: BigInt(recorded.bytes),
      location: locationOf(output),
    });
    await end(EgressStatus.EGRESS_COMPLETE);
  }

  void run()
    .catch((error) => {
      console.error(`${egressId}: ${error}`);
      return end(EgressStatus.EGRESS_FAILED, { error: String(error), errorCode: 500 });
    })
    // LiveKit keeps the egress as it was, as after a worker's crash.
    .catch((error) => console.error(`${egressId}: LiveKit did not take its end: ${error}`))
    .finally(ended.resolve);

  return {
    ended: ended.promise,
    info: () => info,
    stop(_request?: StopEgressRequest): EgressInfo {
      stopped.resolve('StopEgress API');
      if (info.status === EgressStatus.EGRESS_ACTIVE) info.status = EgressStatus.EGRESS_ENDING;
      return info;
    },
  };
}

function tokenOf(
  egressId: string,
  room: string,
  { apiKey, apiSecret }: EgressSettings,
): Promise<string> {
  const token = new AccessToken(apiKey, apiSecret, { identity: egressId, ttl: TOKEN_TTL_SECONDS });
  token.kind = 'egress';
  token.addGrant({
    room,
    roomJoin: true,
    canSubscribe: true,
    canPublish: false,
    canPublishData: false,
    hidden: true,
    recorder: true,
  });
  return token.toJwt();
}

/** As LiveKit's service shows it: https, whatever the endpoint is. */
const locationOf = ({ key, s3 }: Output): string =>
  `${s3.endpoint.replace(/^http:/, 'https:').replace(/\/$/, '')}/${s3.bucket}/${key}`;
