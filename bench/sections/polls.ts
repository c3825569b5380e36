/** LiveKit calls while a meeting's members poll its status, with webhooks and without. */

import { startBehindProxies } from '../behind-proxies.ts';
import type { Implementation } from '../implementations.ts';
import type { Report } from '../report.ts';
import { callsOf } from '../worker-client.ts';
import type { World } from '../world.ts';

const POLLS = 1000;

export async function polls(world: World): Promise<Report> {
  const asked = await count(world, 'ours', world.clubs.on);
  const withWebhooks = await count(world, 'ours', world.clubs.reported);
  const plain = await count(world, 'plain', world.clubs.on);
  return {
    tables: [
      {
        title: `${POLLS} status polls of one meeting`,
        head: ['', 'calls to LiveKit'],
        rows: [
          ['ours, with webhooks', String(withWebhooks)],
          ['ours, without webhooks', String(asked)],
          ['plain', String(plain)],
        ],
      },
    ],
    aims: [
      {
        aim: 'no LiveKit call for status where webhooks arrive',
        measured: `${withWebhooks} in ${POLLS} polls`,
        met: withWebhooks === 0,
      },
    ],
  };
}

async function count(world: World, way: Implementation, clubs: string[]): Promise<number> {
  const { worker, livekit, stop } = await startBehindProxies(world, way);
  try {
    await worker.run({
      calls: callsOf('status', clubs.slice(0, 1), POLLS),
      accessToken: world.accessToken,
      pace: { atATime: 16 },
    });
    return livekit.take().length;
  } finally {
    await stop();
  }
}
