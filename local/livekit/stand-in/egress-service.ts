/**
 * The Egress API without media: it keeps what is recorded as the real one does, and puts a file that says
 * so into the bucket. Its recorder can be absent, killed or unable to upload, as real ones can.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  DisconnectReason,
  EgressInfo,
  EgressSourceType,
  EgressStatus,
  FileInfo,
  ListEgressRequest,
  ListEgressResponse,
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  ParticipantPermission,
  RoomCompositeEgressRequest,
  type S3Upload,
  StopEgressRequest,
} from '@livekit/protocol';
import { z } from 'zod';
import { putFile, redacted } from '../../egress/upload.ts';
import { type Caller, ensureRecord } from './auth.ts';
import { goError, roomNotFound } from './errors.ts';
import { decode, encode } from './room-service.ts';
import { newId, type Rooms } from './rooms.ts';

type EgressEventName = 'egress_started' | 'egress_updated' | 'egress_ended';

/** A hundredth of what the real server takes: 20.8 to 24 s without a recorder, 3 s for one that is gone. */
const NO_RECORDER_MS = 220;
const NO_ANSWER_MS = 30;
const NANOSECONDS_A_MS = 1_000_000n;

export const RecorderWishes = z.strictObject({
  /** Whether a recorder is there that takes work. */
  isAvailable: z.boolean().default(true),
  /** What it takes from a start to recording. */
  startMs: z.int().nonnegative().default(20),
  /** Its uploads fail. */
  failsUploads: z.boolean().default(false),
  /** What an upload takes. */
  uploadMs: z.int().nonnegative().default(0),
});
export type RecorderWishes = z.infer<typeof RecorderWishes>;

/** How a recording can end by itself: at a limit of the recorder's, or when its process crashes. */
export type OwnEnd = 'limit reached' | 'crashed';

interface Running {
  info: EgressInfo;
  s3: S3Upload | undefined;
  startedAtMs: number;
  /** Its process was killed: it says nothing any more. */
  isDead: boolean;
}

export function createEgressService(
  rooms: Rooms,
  emit: (event: EgressEventName, info: EgressInfo) => void,
) {
  /** As LiveKit stores them in Redis. */
  const stored = new Map<string, EgressInfo>();
  /** As the recorder has them. */
  const running = new Map<string, Running>();
  let wishes = RecorderWishes.parse({});

  const update = (info: EgressInfo, status: EgressStatus, event: EgressEventName) => {
    info.status = status;
    info.updatedAt = nowNs();
    stored.set(info.egressId, info.clone());
    emit(event, info.clone());
  };

  function leaveRoom({ roomName, egressId }: EgressInfo): void {
    const recorder = rooms.person(roomName, egressId);
    if (recorder) rooms.remove(roomName, recorder, DisconnectReason.CLIENT_INITIATED);
  }

  function becomeActive(egress: Running): void {
    const { info } = egress;
    if (egress.isDead || info.status !== EgressStatus.EGRESS_STARTING) return;
    if (!rooms.has(info.roomName)) {
      abort(egress);
      return;
    }
    rooms.admit(info.roomName, {
      identity: info.egressId,
      name: '',
      metadata: '',
      attributes: {},
      kind: ParticipantInfo_Kind.EGRESS,
      state: ParticipantInfo_State.ACTIVE,
      permission: new ParticipantPermission({ canSubscribe: true, hidden: true, recorder: true }),
      tracks: [],
    });
    egress.startedAtMs = Date.now();
    info.startedAt = nowNs();
    update(info, EgressStatus.EGRESS_ACTIVE, 'egress_updated');
  }

  function abort({ info }: Running): void {
    running.delete(info.egressId);
    Object.assign(info, { error: 'Start signal not received', errorCode: 412, endedAt: nowNs() });
    update(info, EgressStatus.EGRESS_ABORTED, 'egress_ended');
  }

  async function complete(
    egress: Running,
    reason: string,
    status = EgressStatus.EGRESS_COMPLETE,
  ): Promise<void> {
    const { info, s3, startedAtMs } = egress;
    if (info.status !== EgressStatus.EGRESS_ACTIVE) return;
    const [file] = info.fileResults;
    info.details = `End reason: ${reason}`;
    update(info, EgressStatus.EGRESS_ENDING, 'egress_updated');
    leaveRoom(info);
    const text = `The stand-in records nothing: ${info.egressId}\n`;
    const { failsUploads, uploadMs } = wishes;
    if (uploadMs > 0) await delay(uploadMs, undefined, { ref: false });
    if (egress.isDead) return;
    const error = failsUploads
      ? 'AccessDenied'
      : s3 &&
        (await putFile({ key: file?.filename ?? '', s3 }, text, {
          retries: 0,
          withinMs: 5_000,
        }).catch(String));
    running.delete(info.egressId);
    info.endedAt = nowNs();
    if (error) {
      Object.assign(info, { error: `S3 upload failed: ${error}`, errorCode: 400 });
      update(info, EgressStatus.EGRESS_FAILED, 'egress_ended');
      return;
    }
    Object.assign(file ?? {}, {
      startedAt: info.startedAt,
      endedAt: info.endedAt,
      duration: BigInt(Date.now() - startedAtMs) * NANOSECONDS_A_MS,
      size: BigInt(text.length),
    });
    update(info, status, 'egress_ended');
  }

  /** One recording's process: its recorder lives, and says that it failed. Nothing is uploaded. */
  function crash({ info }: Running): void {
    running.delete(info.egressId);
    leaveRoom(info);
    Object.assign(info, { error: 'signal: killed', errorCode: 500, endedAt: nowNs() });
    update(info, EgressStatus.EGRESS_FAILED, 'egress_ended');
  }

  const handlers: Record<string, (json: string, caller: Caller | undefined) => Promise<string>> = {
    async StartRoomCompositeEgress(json, caller) {
      const request = decode(RoomCompositeEgressRequest, json);
      ensureRecord(caller);
      const [room] = rooms.list([request.roomName]);
      if (!room || request.roomName === '') throw roomNotFound();
      if (!wishes.isAvailable) {
        await delay(NO_RECORDER_MS);
        throw goError('unavailable', 'no response from servers');
      }
      const [output] = request.fileOutputs;
      if (!output) throw goError('invalid_argument', 'missing or invalid field: output');
      const s3 = output.output.case === 's3' ? output.output.value : undefined;
      const info = new EgressInfo({
        egressId: newId('EG_'),
        roomId: room.sid,
        roomName: request.roomName,
        sourceType: request.audioOnly ? EgressSourceType.SDK : EgressSourceType.WEB,
        status: EgressStatus.EGRESS_STARTING,
        request: { case: 'roomComposite', value: redacted(request) },
        fileResults: [new FileInfo({ filename: output.filepath })],
        updatedAt: nowNs(),
      });
      const egress: Running = { info, s3: s3?.clone(), startedAtMs: Date.now(), isDead: false };
      running.set(info.egressId, egress);
      update(info, EgressStatus.EGRESS_STARTING, 'egress_started');
      setTimeout(() => becomeActive(egress), wishes.startMs).unref();
      return encode(info);
    },

    async StopEgress(json, caller) {
      const { egressId } = decode(StopEgressRequest, json);
      ensureRecord(caller);
      const known = stored.get(egressId);
      const egress = running.get(egressId);
      if (egress && !egress.isDead) {
        if (egress.info.status === EgressStatus.EGRESS_STARTING) abort(egress);
        else void complete(egress, 'StopEgress API');
        return encode(egress.info);
      }
      await delay(NO_ANSWER_MS);
      if (!known) throw goError('not_found', 'egress does not exist');
      if (known.status < EgressStatus.EGRESS_COMPLETE) {
        throw goError('deadline_exceeded', 'request timed out');
      }
      const status = EgressStatus[known.status];
      throw goError('failed_precondition', `egress with status EGRESS_${status} cannot be stopped`);
    },

    async ListEgress(json, caller) {
      const { roomName, egressId, active } = decode(ListEgressRequest, json);
      ensureRecord(caller);
      if (egressId !== '' && !stored.has(egressId))
        throw goError('not_found', 'egress does not exist');
      const items = [...stored.values()].filter(
        (info) =>
          (egressId === '' || info.egressId === egressId) &&
          (roomName === '' || info.roomName === roomName) &&
          (!active || info.status < EgressStatus.EGRESS_COMPLETE),
      );
      return encode(new ListEgressResponse({ items }));
    },
  };

  return {
    handlers,

    /** Its recorders leave with it, and complete their files. */
    roomClosed(roomName: string): void {
      for (const egress of running.values()) {
        if (egress.info.roomName !== roomName || egress.isDead) continue;
        if (egress.info.status === EgressStatus.EGRESS_STARTING) abort(egress);
        else void complete(egress, 'Source closed');
      }
    },

    set(next: RecorderWishes): void {
      wishes = next;
    },

    /** As SIGKILL ends its process: LiveKit hears nothing of it, and the file is gone. */
    kill(): void {
      for (const egress of running.values()) {
        egress.isDead = true;
        leaveRoom(egress.info);
      }
    },

    /** Ends the recordings, as recorders do without a request. */
    end(how: OwnEnd): void {
      for (const egress of [...running.values()]) {
        if (egress.isDead) continue;
        if (how === 'crashed') crash(egress);
        else void complete(egress, 'Limit reached', EgressStatus.EGRESS_LIMIT_REACHED);
      }
    },

    /** As LiveKit that lost its Redis: it knows no recording any more, but the recorder goes on. */
    forget(): void {
      stored.clear();
    },
  };
}

const nowNs = (): bigint => BigInt(Date.now()) * NANOSECONDS_A_MS;
