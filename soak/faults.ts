/** What goes wrong between the service, its table and LiveKit, and on LiveKit's way back to it. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  answer,
  cut,
  emptyList,
  internalError,
  lateAnswer,
  loseAnswer,
  on,
  silence,
  throttling,
  unavailable,
  unprocessed,
} from '../test/harness/faults.ts';
import type { Fault, Wire, WireAnswer } from '../test/harness/wire.ts';
import { drawsOf } from './chance.ts';
import type { Clock } from './clock.ts';
import { byName, type Plan, type Side, STORMY_SIDES } from './generator.ts';
import type { History, ReportedEvent } from './history.ts';

/** The share of requests that something happens to between bursts of faults. */
const FAIR = 0.01;

const SLOW_MS = 400;
const WEBHOOK_DELAYS_MS: [number, number] = [200, 4_000];

const slow: Fault = async (_, pass) => {
  await delay(SLOW_MS);
  return pass();
};

const tooMany = answer(429, 'Too Many Requests', 'text/plain');
const badGateway = answer(502, '<html>Bad Gateway</html>');

const FAULTS = {
  ...{ cut, loseAnswer, lateAnswer, silence, slow },
  ...{ throttling, internalError, unprocessed: unprocessed() },
  ...{ unavailable, badGateway, tooMany, emptyList },
};
type Kind = keyof typeof FAULTS;

/** The share of each kind among the faults of a side. */
const KINDS: Record<'store' | 'media' | 'files', Partial<Record<Kind, number>>> = {
  store: {
    ...{ cut: 4, loseAnswer: 4, lateAnswer: 2, slow: 3 },
    ...{ throttling: 4, internalError: 2, unprocessed: 2 },
  },
  media: {
    ...{ cut: 4, loseAnswer: 4, lateAnswer: 1, silence: 1, slow: 3 },
    ...{ unavailable: 4, badGateway: 1, tooMany: 1, emptyList: 3 },
  },
  files: { cut: 4, loseAnswer: 2, slow: 3, badGateway: 2 },
};
const WEBHOOK_KINDS = { lose: 4, repeat: 4, delay: 4, refuse: 2 };

export interface Nemesis {
  /** By side and kind. */
  counts: Map<string, number>;
  /** From here on nothing goes wrong any more. Resolves when what was held back has arrived. */
  clear(): Promise<void>;
  /** LiveKit sends no more events of this room, as after a crash. */
  silence(roomSid: string): void;
}

/** Injects the plan's faults on the wire, and records the events that LiveKit sends. */
export function startNemesis(wire: Wire, plan: Plan, history: History, { now }: Clock): Nemesis {
  const counts = new Map<string, number>();
  const silenced = new Set<string>();
  const held = new Set<Promise<unknown>>();
  const delays = drawsOf(plan.seed, 'delays');
  let isClear = false;
  const draws = byName(STORMY_SIDES, (side) => drawsOf(plan.seed, `faults/${side}`));

  /** Two draws for every request, so that the nth of a side meets the same whatever came before. */
  const faultFor = <Name extends string>(side: Side, weights: Partial<Record<Name, number>>) => {
    const luck = draws[side].draw();
    const kind = draws[side].oneOf(weights);
    const storm = plan.storms.find(
      (each) => each.side === side && each.fromMs <= now() && now() < each.toMs,
    );
    if (isClear || luck >= (storm?.chance ?? FAIR)) return undefined;
    counts.set(`${side} ${kind}`, (counts.get(`${side} ${kind}`) ?? 0) + 1);
    return kind;
  };

  const onSide =
    (side: 'store' | 'media' | 'files'): Fault =>
    (request, pass) => {
      const kind = faultFor(side, KINDS[side]);
      return kind ? FAULTS[kind](request, pass) : pass();
    };

  const onWebhook: Fault = async ({ body }, send) => {
    const entry = recorded(history, String(body));
    const pass = async (): Promise<WireAnswer> => {
      const result = await send().catch((error) => {
        entry.results.push('no answer');
        throw error;
      });
      entry.results.push(result.status === 200 ? resultIn(result) : `${result.status}`);
      return result;
    };
    if (silenced.has(entry.roomSid)) return TAKEN;
    switch (faultFor('webhook', WEBHOOK_KINDS)) {
      case undefined:
        return pass();
      case 'lose':
        return TAKEN;
      case 'refuse':
        return badGateway({ side: 'webhook', operation: '', headers: {}, body }, pass);
      case 'repeat':
        await pass();
        return pass();
      case 'delay': {
        const late = delay(delays.between(...WEBHOOK_DELAYS_MS)).then(pass);
        const settled = late.catch(() => undefined).finally(() => held.delete(settled));
        held.add(settled);
        return TAKEN;
      }
    }
  };

  wire.set(on({ side: 'store' }, onSide('store')));
  wire.set(on({ side: 'media' }, onSide('media')));
  wire.set(on({ side: 'files' }, onSide('files')));
  wire.set(on({ side: 'webhook' }, onWebhook));
  return {
    counts,
    async clear() {
      isClear = true;
      await Promise.all(held);
    },
    silence: (roomSid) => silenced.add(roomSid),
  };
}

/** LiveKit takes this for delivered. */
const TAKEN: WireAnswer = { status: 200, headers: {}, body: '' };

const resultIn = ({ body }: WireAnswer): string => {
  const { result }: { result?: string } = JSON.parse(String(body));
  return result ?? String(body);
};

interface Webhook {
  id: string;
  event: string;
  createdAt: string;
  room?: { name: string; sid: string };
  /** In place of a room. */
  egressInfo?: { roomName: string; roomId: string };
  participant?: {
    sid: string;
    identity: string;
    kind?: string;
    joinedAtMs: string;
    disconnectReason?: string;
  };
}

/** The same entry for the same event, however often it comes. */
function recorded({ events }: History, body: string): ReportedEvent {
  const { id, event, createdAt, room, egressInfo, participant }: Webhook = JSON.parse(body);
  const known = events.get(id);
  if (known) return known;
  const entry: ReportedEvent = {
    event,
    roomName: room?.name ?? egressInfo?.roomName ?? '',
    roomSid: room?.sid ?? egressInfo?.roomId ?? '',
    sid: participant?.sid,
    userId: participant?.identity,
    at: new Date(Number(createdAt) * 1000 + 999).toISOString(),
    joinedAt: participant && new Date(Number(participant.joinedAtMs)).toISOString(),
    reason: participant?.disconnectReason,
    results: [],
  };
  // A recorder does not attend.
  if (participant?.kind !== 'EGRESS') events.set(id, entry);
  return entry;
}
