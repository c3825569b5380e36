/** Joins and status of one large meeting, whose people are all in the club's item. */
import { createClubRepository } from '../../lib/dynamodb/clubs.ts';
import { createPresenceRepository } from '../../lib/dynamodb/presence.ts';
import { openTable } from '../../lib/dynamodb/table.ts';
import { attendeesJoined } from '../../lib/meetings/livekit-events.ts';
import { roomNameOf } from '../../lib/meetings/model.ts';
import { startDatabase } from '../../local/dynamodb.ts';
import { hasJava, startDynamoDbLocal } from '../../local/dynamodb-local/server.ts';
import { ms, type Report } from '../report.ts';

const PRESENT = [50, 500, 1000, 3000];
/** The configuration refuses larger meetings (lib/config.ts). */
const SUPPORTED = 1000;
const MEASURED = 100;

export async function scale(): Promise<Report> {
  const rows = [
    ...(await measure('dynalite', { port: 0 })),
    ...(await onDynamoDbLocal((endpoint) => measure('DynamoDB Local', { endpoint }))),
  ];
  return {
    tables: [
      {
        title: 'One meeting with many people, one event or request after another',
        head: ['present', 'database', 'joins/s', 'join ms', 'status ms', 'supported'],
        rows,
      },
    ],
    aims: [],
  };
}

async function onDynamoDbLocal(work: (endpoint: string) => Promise<string[][]>) {
  if (!(await hasJava())) return [['', 'DynamoDB Local: no java', '', '', '', '']];
  const server = await startDynamoDbLocal();
  try {
    return await work(server.endpoint);
  } finally {
    server.stop();
  }
}

async function measure(
  name: string,
  where: { port: number } | { endpoint: string },
): Promise<string[][]> {
  const database = await startDatabase(where);
  try {
    const rows: string[][] = [];
    for (const present of PRESENT) {
      const { joinMs, statusMs } = await measureMeeting(database, present);
      const isSupported = present <= SUPPORTED ? 'yes' : 'no';
      const perSecond = (1000 / joinMs).toFixed(0);
      rows.push([`${present}`, name, perSecond, ms(joinMs), ms(statusMs), isSupported]);
    }
    return rows;
  } finally {
    await database.stop();
  }
}

/** Means, in milliseconds: a join is what the webhook writes for it, a status what it reads. */
async function measureMeeting(
  { endpoint, tableName }: { endpoint: string; tableName: string },
  present: number,
): Promise<{ joinMs: number; statusMs: number }> {
  const table = openTable({ tableName, endpoint });
  const [clubs, presence] = [createClubRepository(table), createPresenceRepository(table)];
  const clubId = `large-${present}`;
  const meetingId = '01JQ3R5T7V9X1Z3B5D7F9H1K3M';
  const now = new Date().toISOString();
  const room = { sid: 'RM_bench', createdAt: now, observedAt: now };
  const club = {
    pk: `CLUB#${clubId}`,
    sk: 'CLUB',
    ...{ clubId, name: clubId, moderatorId: 'bench-moderator', createdAt: now },
    meeting: {
      meetingId,
      roomName: roomNameOf(clubId, meetingId),
      startedAt: now,
      startedBy: 'bench-moderator',
      maxParticipants: present + 2 * MEASURED,
    },
    presence: {
      roomSid: room.sid,
      roomCreatedAt: now,
      isComplete: true,
      isFinished: false,
      observedAt: now,
    },
    presentSids: new Set(Array.from({ length: present }, (_, index) => `PA_standing${index}`)),
  };
  await table.put(club);
  const join = (index: number) =>
    attendeesJoined({ presence }, { clubId, meetingId }, room, [
      {
        userId: `reader-${index}`,
        participantSid: `PA_joined${index}`,
        roomSid: room.sid,
        displayName: null,
        joinedAt: now,
      },
    ]);
  const joinMs = await meanOf(join);
  const statusMs = await meanOf(() => clubs.getClubAndMember(clubId, 'reader-1'));
  return { joinMs, statusMs };
}

async function meanOf(work: (index: number) => Promise<unknown>): Promise<number> {
  const WARM_UP = 20;
  for (let index = 0; index < WARM_UP; index += 1) await work(index);
  const startedAt = performance.now();
  for (let index = 0; index < MEASURED; index += 1) await work(WARM_UP + index);
  return (performance.now() - startedAt) / MEASURED;
}
