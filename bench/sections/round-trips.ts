/** What a request asks of DynamoDB and of LiveKit, counted where it arrives. */

import { startBehindProxies } from '../behind-proxies.ts';
import type { Implementation } from '../implementations.ts';
import { CASES, type Case } from '../measure.ts';
import type { Report } from '../report.ts';
import { callsOf } from '../worker-client.ts';
import type { World } from '../world.ts';

type Asked = Record<'dynamodb' | 'livekit', string[]>;

export async function roundTrips(world: World): Promise<Report> {
  const [ours, plain] = await Promise.all([count(world, 'ours'), count(world, 'plain')]);
  return {
    tables: [
      {
        title: 'Round trips of a request',
        head: ['route', 'DynamoDB', 'LiveKit', 'plain DynamoDB', 'plain LiveKit'],
        rows: CASES.flat().map(({ name }) => [
          name,
          ...[ours, plain].flatMap((counts) => [
            cell(counts.get(name)?.dynamodb),
            cell(counts.get(name)?.livekit),
          ]),
        ]),
      },
    ],
    aims: [],
  };
}

async function count(world: World, way: Implementation): Promise<Map<string, Asked>> {
  const { worker, dynamodb, livekit, stop } = await startBehindProxies(world, way);
  const once = async ({ route, clubs }: Case): Promise<Asked> => {
    await worker.run({
      calls: callsOf(route, world.clubs[clubs], 1),
      accessToken: world.accessToken,
      pace: { atATime: 1 },
    });
    return { dynamodb: dynamodb.take(), livekit: livekit.take() };
  };
  try {
    await world.settled();
    // One token in half a minute makes sure of the room. This is that one; what is counted is the others.
    for (const one of CASES.flat().filter(({ route }) => route === 'token')) await once(one);
    const counts = new Map<string, Asked>();
    for (const one of CASES.flat()) counts.set(one.name, await once(one));
    return counts;
  } finally {
    await stop();
  }
}

const cell = (operations: string[] = []): string =>
  operations.length === 0 ? '0' : `${operations.length}: ${operations.join(', ')}`;
