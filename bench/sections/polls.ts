/** What it asks of LiveKit when a meeting's members poll its status, with its events told and without. */

import { createClubRepository } from '../../lib/dynamodb/clubs.ts';
import { createPresenceRepository } from '../../lib/dynamodb/presence.ts';
import { openTable } from '../../lib/dynamodb/table.ts';
import { startCountingProxy } from '../counting-proxy.ts';
import type { Report } from '../report.ts';
import type { Way } from '../ways.ts';
import { startWorker } from '../worker-client.ts';
import type { World } from '../world.ts';

const POLLS = 1000;

/** Last of the sections: the meeting that it tells of stays told. */
export async function polls(world: World): Promise<Report> {
  const asked = await count(world, 'ours');
  await tellOfRoom(world);
  const told = await count(world, 'ours');
  const plain = await count(world, 'plain');
  return {
    tables: [
      {
        title: `${POLLS} status polls of one meeting`,
        head: ['', 'calls to LiveKit'],
        rows: [
          ['ours, told by webhooks', String(told)],
          ['ours, without webhooks', String(asked)],
          ['plain', String(plain)],
        ],
      },
    ],
    aims: [
      {
        aim: 'no LiveKit call for status where webhooks arrive',
        measured: `${told} in ${POLLS} polls`,
        met: told === 0,
      },
    ],
  };
}

async function count(world: World, way: Way): Promise<number> {
  const livekit = await startCountingProxy(world.addresses.livekit.replace(/^ws/, 'http'));
  const worker = await startWorker(
    way,
    world.environment({ ...world.addresses, livekit: `ws://127.0.0.1:${livekit.port}` }),
  );
  try {
    await worker.run({
      route: 'status',
      requests: POLLS,
      concurrency: 16,
      clubIds: world.clubs.on.slice(0, 1),
      accessToken: world.accessToken,
    });
    return livekit.take().length;
  } finally {
    await Promise.all([worker.stop(), livekit.stop()]);
  }
}

/** Writes what the webhook function writes when LiveKit tells of the meeting's room. */
async function tellOfRoom({ environment, clubs: { on } }: World): Promise<void> {
  const { TABLE_NAME: tableName = '', DYNAMODB_ENDPOINT: endpoint } = environment();
  const table = openTable({ tableName, endpoint });
  const [clubId = ''] = on;
  const meetingId = (await createClubRepository(table).getClub(clubId))?.meeting?.meetingId;
  if (!meetingId) throw new Error(`No meeting is on in ${clubId}`);
  const now = new Date().toISOString();
  await createPresenceRepository(table).roomStarted(
    { clubId, meetingId },
    { sid: 'RM_bench', createdAt: now, observedAt: now },
  );
}
