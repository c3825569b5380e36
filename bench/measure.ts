import type { Route } from './events.ts';
import type { Round, RoundResult } from './worker.ts';
import { callsOf, type Worker } from './worker-client.ts';
import type { World } from './world.ts';

/** A line of a table: one route in one state of the clubs. */
export interface Case {
  name: string;
  route: Route;
  clubs: keyof World['clubs'];
}

/** What is measured together: a start makes what an end needs, and the other way round. */
export const CASES: Case[][] = [
  [{ name: 'token', route: 'token', clubs: 'on' }],
  [
    { name: 'start', route: 'start', clubs: 'cycled' },
    { name: 'end', route: 'end', clubs: 'cycled' },
  ],
  [{ name: 'status, from webhooks', route: 'status', clubs: 'reported' }],
  [{ name: 'status, LiveKit asked', route: 'status', clubs: 'on' }],
  [{ name: 'status, idle', route: 'status', clubs: 'idle' }],
];

/** A worker's rounds of one case. */
interface Subject {
  name: string;
  worker: Worker;
  options: Pick<Round, 'pace' | 'waiting'>;
}

/** On a machine that is busy with other things a run must end too: with fewer rounds. */
const CASE_WITHIN_MS = 15_000;
const MIN_ROUNDS = 3;

/**
 * Up to `rounds` rounds of every case, the subjects taking turns (A B, B A, …), so that what else happens
 * on the machine hits all alike. Returns the results by case and subject.
 */
export async function takeTurns(
  world: World,
  subjects: Subject[],
  { rounds, requests }: { rounds: number; requests: number },
): Promise<(caseName: string, subject: string) => RoundResult[]> {
  const results = new Map<string, RoundResult[]>();
  const keyOf = (caseName: string, subject: string) => `${caseName} / ${subject}`;
  await world.settled();
  for (const cases of CASES) {
    const giveUpAt = performance.now() + CASE_WITHIN_MS;
    for (let round = 0; round < rounds; round++) {
      if (round >= MIN_ROUNDS && performance.now() > giveUpAt) break;
      const inTurn = round % 2 === 0 ? subjects : subjects.toReversed();
      for (const { name: subject, worker, options } of inTurn) {
        // Within a turn, since two subjects may be one worker's, with the same clubs.
        for (const { name, route, clubs } of cases) {
          const result = await worker.run({
            ...options,
            calls: callsOf(route, world.clubs[clubs], requests),
            accessToken: world.accessToken,
          });
          const key = keyOf(name, subject);
          results.set(key, [...(results.get(key) ?? []), result]);
        }
      }
    }
  }
  return (caseName, subject) => results.get(keyOf(caseName, subject)) ?? [];
}
