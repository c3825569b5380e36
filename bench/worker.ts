/** A process that holds one of the two implementations and sends it requests on command. */

import { context, eventFor, type Route } from './events.ts';
import { type Handlers, handlersOf, ourHandlers, type Target } from './implementations.ts';
import { closedLoop, openLoop, type Send } from './pace.ts';
import { type Waiting, Waiting as Waits, waitingAtTheWire } from './waiting.ts';

export interface Call {
  route: Route;
  clubId: string;
}

export interface Round {
  /** One request each, in this order. */
  calls: Call[];
  accessToken: string;
  /**
   * A closed loop with so many requests under way at any time, each of which has to succeed; or an open
   * one, into which so many a second come whether or not the others are answered.
   */
  pace: { atATime: number } | { perSecond: number };
  /** What counts as waiting; one request at a time only. */
  waiting?: 'wire' | 'ports';
}

export interface RoundResult {
  durationMs: number;
  /** Of each request; in an open loop from when it was due. */
  latenciesMs: Float64Array;
  /** Of each request, what of its latency was not waiting. */
  busyMs: Float64Array;
  /** User and system time of the whole process. */
  cpuMs: number;
  /** How many requests of an open loop were not answered with a 200. */
  failures: number;
}

const target = process.argv[2] as Target;
const atTheWire = waitingAtTheWire();
const atThePorts = new Waits();
const byTheWire = await handlersOf(target);
const byThePorts = target === 'ours' ? await ourHandlers(atThePorts) : undefined;

process.on('disconnect', () => process.exit());
process.on('message', ({ id, round }: { id: number; round: Round }) => {
  run(round).then(
    (result) => process.send?.({ id, result }),
    (error) => process.send?.({ id, error: String(error?.stack ?? error) }),
  );
});
process.send?.({ id: 0, result: undefined });

function run(round: Round): Promise<RoundResult> {
  if (round.waiting !== 'ports') return drive(byTheWire, atTheWire, round);
  if (!byThePorts) throw new Error(`"${target}" has no ports`);
  return drive(byThePorts, atThePorts, round);
}

async function drive(handlers: Handlers, waiting: Waiting, round: Round): Promise<RoundResult> {
  const { calls, accessToken, pace } = round;
  const requests = calls.map(({ route, clubId }) => ({
    route,
    handler: handlers[route],
    event: eventFor(route, { clubId, accessToken }),
  }));
  const latenciesMs = new Float64Array(calls.length);
  const busyMs = new Float64Array(calls.length);
  let failures = 0;
  const send: Send = async (index, dueAt) => {
    const request = requests[index];
    if (!request) return;
    waiting.takeMs();
    const answer = await request.handler(request.event, context).catch((error) => {
      if ('atATime' in pace) throw error;
      return { statusCode: 0, body: String(error) };
    });
    const latencyMs = performance.now() - dueAt;
    latenciesMs[index] = latencyMs;
    busyMs[index] = latencyMs - waiting.takeMs();
    if (answer.statusCode === 200) return;
    if ('atATime' in pace) {
      throw new Error(`${target} ${request.route} answered ${answer.statusCode}: ${answer.body}`);
    }
    failures++;
  };
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await ('atATime' in pace
    ? closedLoop(calls.length, pace.atATime, send)
    : openLoop(calls.length, pace.perSecond, send));
  const durationMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { durationMs, latenciesMs, busyMs, cpuMs: (user + system) / 1000, failures };
}
