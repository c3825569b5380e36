/** A participant in a meeting's room: a real LiveKit client in this process, or one of the stand-in's. */
import { DisconnectReason } from '@livekit/protocol';
import type { Room } from '@livekit/rtc-node';
import { JoinRefused, type StandInClients } from './livekit/stand-in.ts';
import { forgetProxies, isOnLoopback } from './proxies.ts';
import { until } from './until.ts';

/** LiveKit announces a participant once their media is connected: some 0.4 s on loopback. */
const HEARD_WITHIN_MS = 10_000;
const STILL_IN = 'The participant is still in the room';

export interface Participant {
  /** LiveKit's id of this session. */
  sid: string;
  leave(): Promise<void>;
  /** LiveKit's name for why they are out. Rejects when they are still in after ten seconds. */
  outBecause(): Promise<string>;
}

export interface RealParticipant extends Participant {
  /** The name under which this one sees the other, once it does. Rejects after ten seconds. */
  sees(identity: string): Promise<string>;
  say(text: string): Promise<void>;
  /** The next message of another participant. Rejects after ten seconds. */
  hears(): Promise<{ text: string; from: string | undefined }>;
}

/**
 * Joins with a real client, without camera or microphone.
 * @throws JoinRefused with LiveKit's status
 */
export async function joinRoom(serverUrl: string, token: string): Promise<RealParticipant> {
  if (isOnLoopback(serverUrl)) forgetProxies();
  const { Room, RoomEvent } = await loadRtc();
  const room = new Room();
  const heard: { text: string; from: string | undefined }[] = [];
  let reason: string | undefined;
  room.on(RoomEvent.Disconnected, (why) => {
    reason ??= DisconnectReason[why] ?? String(why);
  });
  room.on(RoomEvent.DataReceived, (payload, from) => {
    heard.push({ text: new TextDecoder().decode(payload), from: from?.identity });
  });
  await connect(room, serverUrl, token);
  return {
    sid: room.localParticipant?.sid ?? '',
    leave: () => room.disconnect(),
    outBecause: () => until(() => reason, STILL_IN, HEARD_WITHIN_MS),
    sees: async (identity) => {
      const complaint = `The participant does not see ${identity}`;
      const find = () => room.remoteParticipants.get(identity);
      return (await until(find, complaint, HEARD_WITHIN_MS)).name ?? '';
    },
    say: async (text) => {
      await room.localParticipant?.publishData(new TextEncoder().encode(text), { reliable: true });
    },
    hears: () => until(() => heard.shift(), 'The participant hears nothing', HEARD_WITHIN_MS),
  };
}

/**
 * Joins the stand-in's room with this token.
 * @throws JoinRefused with the status that LiveKit would answer
 */
export async function joinStandIn(standIn: StandInClients, token: string): Promise<Participant> {
  const { roomName, sid } = await standIn.joinWithToken(token);
  return {
    sid,
    leave: () => standIn.leave(roomName, sid),
    outBecause: () =>
      until(
        async () => {
          const departures = await standIn.departures();
          return departures.find((departure) => departure.sid === sid)?.reason;
        },
        STILL_IN,
        HEARD_WITHIN_MS,
      ),
  };
}

/** Frees the clients' native parts, at the end of a process that ends by itself. None can join after it. */
export async function freeParticipants(): Promise<void> {
  await (await rtc)?.dispose();
}

let rtc: Promise<typeof import('@livekit/rtc-node')> | undefined;

/**
 * Loaded at the first join: it brings a native library. Outside production it writes debug lines to
 * stdout (1.1.0, log.ts), in the middle of ours.
 */
function loadRtc(): Promise<typeof import('@livekit/rtc-node')> {
  rtc ??= (async () => {
    const { NODE_ENV: before } = process.env;
    process.env['NODE_ENV'] = 'production';
    try {
      return await import('@livekit/rtc-node');
    } finally {
      if (before === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = before;
    }
  })();
  return rtc;
}

async function connect(room: Room, serverUrl: string, token: string): Promise<void> {
  try {
    await room.connect(serverUrl, token, { autoSubscribe: true, dynacast: false });
  } catch (error) {
    // "engine: signal failure: client error: 404 Not Found - requested room does not exist"
    const [, status, text = ''] = /: (\d{3}) (.*)/.exec(String(error)) ?? [];
    if (status === undefined) throw error;
    throw new JoinRefused(Number(status), text);
  }
}
