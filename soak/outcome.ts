/** The final state, when the run is over and the cleanup finds nothing to do: the table, the rooms, the routes' answers. */
import { setTimeout as delay } from 'node:timers/promises';
import { RoomServiceClient } from 'livekit-server-sdk';
import { z } from 'zod';
import type { MeetingDetails, MeetingStatus } from '../lib/contract/answers.ts';
import { ACTIVE_SHARDS } from '../lib/dynamodb/keys.ts';
import { tableOn } from '../lib/dynamodb/table.ts';
import {
  Club,
  ClubId,
  EndedMeeting,
  GrantNote,
  Instant,
  MeetingId,
  type Member,
  MemberRecord,
  memberOf,
  RoomLife,
  Session,
  UserId,
} from '../lib/meetings/model.ts';
import { Recording } from '../lib/meetings/recording/model.ts';
import { documentClient, readItems } from '../local/dynamodb.ts';
import type { RoomSnapshot } from '../local/livekit/stand-in/control.ts';
import type { Nemesis } from './faults.ts';
import type { History, ReportedEvent } from './history.ts';
import { type RecordingsLeft, settleRecordings } from './recordings.ts';
import { retry } from './retry.ts';
import type { World } from './world.ts';

/** Runs of the cleanup until one finds nothing to do. */
const MAX_CLEANUPS = 6;
/** LiveKit's room counts are up to two intervals of 5 s late. */
const COUNTS_WITHIN_MS = 15_000;
const ASK_EVERY_MS = 250;

interface ClubRecord {
  club: Club & { activeShard?: string | undefined; activeSince?: string | undefined };
  members: Member[];
  /** Of the history, in the table's order. */
  rows: EndedMeeting[];
  sessions: (Session & { meetingId: string })[];
}

interface ClubAnswers {
  status: MeetingStatus;
  listed: EndedMeeting[];
  details: MeetingDetails[];
}

export interface Outcome {
  records: Map<string, ClubRecord>;
  answers: Map<string, ClubAnswers>;
  /** Of the index of active meetings. */
  indexed: string[];
  /** Without recorders. */
  rooms: RoomSnapshot[];
  /** What LiveKit had reported by then. */
  events: ReportedEvent[];
  recordings: RecordingsLeft;
  /** Of the table, with what is wrong with them. */
  items: { key: string; mistake?: string }[];
  /** How many runs of the cleanup it took, and whether the last one found nothing to do. */
  cleanups: { runs: number; isAtRest: boolean; lastBeganAt: number };
}

export async function settle(world: World, nemesis: Nemesis, history: History): Promise<Outcome> {
  await nemesis.clear();
  const cleanups = await cleanUpToTheEnd(world);
  const { records, items } = await readTable(world);
  return {
    ...{ cleanups, records, items },
    answers: await askEveryClub(world, history, records),
    indexed: await readIndex(world),
    rooms: await roomsOf(world),
    events: structuredClone([...history.events.values()]),
    // Last: the meetings that are on may end by that.
    recordings: await settleRecordings(world),
  };
}

const Report = z.object({
  endedVacant: z.int(),
  endedMaxDuration: z.int(),
  zombiesDeleted: z.int(),
  repaired: z.int(),
  postponed: z.int(),
  failed: z.int(),
});

async function cleanUpToTheEnd(world: World): Promise<Outcome['cleanups']> {
  for (let runs = 1; ; runs += 1) {
    await world.standIn.webhooks.settled();
    await countsAreShown(world);
    const lastBeganAt = Date.now();
    const report = Report.parse(await retry(() => world.cleanUp()));
    const isAtRest = Object.values(report).every((figure) => figure === 0);
    if (isAtRest || runs === MAX_CLEANUPS) return { runs, isAtRest, lastBeganAt };
  }
}

async function roomsOf({ standIn }: Pick<World, 'standIn'>): Promise<RoomSnapshot[]> {
  return (await standIn.rooms()).map(({ participants, ...room }) => ({
    ...room,
    participants: participants.filter(({ kind }) => kind !== 'EGRESS'),
  }));
}

/** Waits until LiveKit's list of rooms counts the participants. */
async function countsAreShown({ standIn, apiKey, apiSecret }: World): Promise<void> {
  const liveKit = new RoomServiceClient(standIn.url, apiKey, apiSecret);
  const giveUpAt = Date.now() + COUNTS_WITHIN_MS;
  for (;;) {
    const [listed, rooms] = await Promise.all([liveKit.listRooms(), roomsOf({ standIn })]);
    const isShown = rooms.every(
      ({ name, participants }) =>
        listed.find((room) => room.name === name)?.numParticipants === participants.length,
    );
    if (isShown) return;
    if (Date.now() > giveUpAt) throw new Error('The stand-in does not count its people');
    await delay(ASK_EVERY_MS);
  }
}

/** Attributes that only the index needs. */
const IndexedClub = z.object({
  activeShard: z.optional(z.string()),
  activeSince: z.optional(z.string()),
});

const Consent = z.object({
  clubId: ClubId,
  meetingId: MeetingId,
  userId: UserId,
  givenAt: Instant,
  expiresAt: z.int(),
});

/** By the beginnings of their sort keys: items that are only checked. */
const OTHER_ITEMS = {
  'ROOM#': RoomLife,
  'RECORDING#': Recording,
  'CONSENT#': Consent,
  'GRANTS#': GrantNote,
};

type Item = Record<string, unknown>;

/** Of an item whose sort key is a prefix, the meeting's id and a sid. */
const meetingIdOf = ({ sk }: Item): string => String(sk).split('#')[1] ?? '';

async function readTable({ table, clubs }: World): Promise<Pick<Outcome, 'records' | 'items'>> {
  const items = await readItems(table);
  const seen: Outcome['items'] = [];
  const read = <T>(item: Item, parse: (item: unknown) => T): T[] => {
    const key = `${item['pk']} ${item['sk']}`;
    try {
      const parsed = parse(item);
      seen.push({ key });
      return [parsed];
    } catch (error) {
      seen.push({ key, mistake: String(error) });
      return [];
    }
  };
  const records = new Map<string, ClubRecord>();
  for (const { clubId } of clubs) {
    const own = items.filter(({ pk }) => pk === `CLUB#${clubId}`);
    const under = (prefix: string) => own.filter(({ sk }) => String(sk).startsWith(prefix));
    const [club] = own
      .filter(({ sk }) => sk === 'CLUB')
      .flatMap((each) => read(each, (it) => ({ ...Club.parse(it), ...IndexedClub.parse(it) })));
    if (!club) continue;
    records.set(clubId, {
      club,
      // A removed member's record stays for a time.
      members: under('MEMBER#')
        .flatMap((each) => read(each, (it) => memberOf(club, MemberRecord.parse(it))))
        .filter((member) => member !== undefined),
      rows: under('MEETING#').flatMap((each) => read(each, (it) => EndedMeeting.parse(it))),
      sessions: under('ATTENDANCE#').flatMap((each) =>
        read(each, (it) => ({ ...Session.parse(it), meetingId: meetingIdOf(each) })),
      ),
    });
    for (const [prefix, schema] of Object.entries(OTHER_ITEMS)) {
      for (const each of under(prefix)) read(each, (it) => schema.parse(it));
    }
  }
  const known = new Set(seen.map(({ key }) => key));
  for (const { pk, sk } of items) {
    const key = `${pk} ${sk}`;
    if (!known.has(key)) seen.push({ key, mistake: 'an unknown item' });
  }
  for (const { clubId } of clubs) {
    if (!records.has(clubId)) seen.push({ key: `CLUB#${clubId} CLUB`, mistake: 'gone' });
  }
  return { records, items: seen };
}

async function readIndex({ table }: World): Promise<string[]> {
  const documents = documentClient(table.endpoint);
  try {
    const { query } = tableOn(documents, table.tableName);
    const shards = await Promise.all(
      ACTIVE_SHARDS.map((shard) =>
        query({
          IndexName: 'activeMeetings',
          KeyConditionExpression: 'activeShard = :shard',
          ExpressionAttributeValues: { ':shard': shard },
        }),
      ),
    );
    return shards.flat().map(({ pk }) => String(pk).slice('CLUB#'.length));
  } finally {
    documents.destroy();
  }
}

/** As its owner: the status, every page of the history, and each meeting in it. */
async function askEveryClub(
  world: World,
  history: History,
  records: Outcome['records'],
): Promise<Outcome['answers']> {
  const answers = new Map<string, ClubAnswers>();
  for (const { clubId, people } of world.clubs) {
    if (!records.has(clubId)) continue;
    const { owner } = people;
    const given = <T>(ask: () => Promise<T | undefined>): Promise<T> =>
      retry(async () => {
        const answer = await ask();
        if (!answer) throw new Error(`No answer about ${clubId} after the last cleanup`);
        return answer;
      });
    const by = owner.userId;
    const status = await given(() =>
      history.ask(by, 'status', { clubId }, () => owner.status(clubId)),
    );
    const listed: EndedMeeting[] = [];
    let cursor: string | undefined;
    do {
      const query = cursor === undefined ? '?limit=10' : `?limit=10&cursor=${cursor}`;
      const page = await given(() =>
        history.ask(by, 'meetings', { clubId }, () => owner.meetings(clubId, query)),
      );
      listed.push(...page.meetings.map(({ recordingCount: _, ...meeting }) => meeting));
      cursor = page.cursor;
    } while (cursor !== undefined);
    const details: MeetingDetails[] = [];
    for (const { meetingId } of listed) {
      details.push(
        await given(() =>
          history.ask(by, 'meeting', { clubId, meetingId }, () => owner.meeting(clubId, meetingId)),
        ),
      );
    }
    answers.set(clubId, { status, listed, details });
  }
  return answers;
}
