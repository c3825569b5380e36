/** A process of its own that holds one of the two ways and sends it requests when it is told to. */
import { context, eventFor, type Route } from './events.ts';
import { type Waiting, Waiting as Waits, waitingAtTheWire } from './waiting.ts';
import { type Handlers, ourHandlers, plainHandlers, type Way } from './ways.ts';

export interface Round {
  route: Route;
  /** Each request is about the next of these. */
  clubIds: string[];
  accessToken: string;
  requests: number;
  /** So many requests are under way at any time. */
  concurrency: number;
  /** What counts as waiting; one request at a time only. */
  waiting?: 'wire' | 'ports';
}

export interface RoundResult {
  durationMs: number;
  latenciesMs: Float64Array;
  /** Of each request, what of its latency was not waiting. */
  busyMs: Float64Array;
  /** User and system time of the whole process. */
  cpuMs: number;
}

const way = process.argv[2] as Way;
const atTheWire = waitingAtTheWire();
const atThePorts = new Waits();
const handlers = way === 'ours' ? await ourHandlers() : await plainHandlers();
const handlersByPorts = way === 'ours' ? await ourHandlers(atThePorts) : undefined;

process.on('disconnect', () => process.exit());
process.on('message', ({ id, round }: { id: number; round: Round }) => {
  run(round).then(
    (result) => process.send?.({ id, result }),
    (error) => process.send?.({ id, error: String(error?.stack ?? error) }),
  );
});
process.send?.({ id: 0, result: undefined });

function run(round: Round): Promise<RoundResult> {
  if (round.waiting !== 'ports') return drive(handlers, atTheWire, round);
  if (!handlersByPorts) throw new Error('The plain way has no ports');
  return drive(handlersByPorts, atThePorts, round);
}

/** A closed loop: each of the users sends its next request when its last one is answered. */
async function drive(target: Handlers, waiting: Waiting, round: Round): Promise<RoundResult> {
  const { route, clubIds, accessToken, requests, concurrency } = round;
  const handler = target[route];
  const events = Array.from({ length: requests }, (_, index) =>
    eventFor(route, { clubId: clubIds[index % clubIds.length] ?? '', accessToken }),
  );
  const latenciesMs = new Float64Array(requests);
  const busyMs = new Float64Array(requests);
  let next = 0;
  const user = async () => {
    for (let index = next++; index < requests; index = next++) {
      const event = events[index];
      if (!event) return;
      waiting.takeMs();
      const sentAt = performance.now();
      const answer = await handler(event, context);
      const latencyMs = performance.now() - sentAt;
      latenciesMs[index] = latencyMs;
      busyMs[index] = latencyMs - waiting.takeMs();
      if (answer.statusCode !== 200) {
        throw new Error(`${way} ${route} answered ${answer.statusCode}: ${answer.body}`);
      }
    }
  };
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, user));
  const durationMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);
  return { durationMs, latenciesMs, busyMs, cpuMs: (cpu.user + cpu.system) / 1000 };
}
