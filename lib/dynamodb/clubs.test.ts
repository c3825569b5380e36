import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { ulid } from 'ulid';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Database, documentClient } from '../../local/dynamodb.ts';
import { startTestDatabase } from '../../test/harness/database.ts';
import { serveHttp } from '../../test/harness/http-server.ts';
import { StoreUnavailable } from '../errors.ts';
import { type EndedMeeting, type Meeting, roomNameOf } from '../meetings/model.ts';
import type { ClubRepository } from '../meetings/ports.ts';
import { createClubRepository } from './clubs.ts';
import { activeShardOf } from './keys.ts';
import { openTable } from './table.ts';

const STARTED_AT = '2026-08-29T18:00:00.000Z';
const VACANT_SINCE = '2026-08-29T18:30:00.000Z';
const ENDED_AT = '2026-08-29T19:00:01.500Z';

let database: Database;
let documents: DynamoDBDocumentClient;
let clubs: ClubRepository;
beforeAll(async () => {
  database = await startTestDatabase();
  documents = documentClient(database.endpoint);
  clubs = createClubRepository(openTable(database));
  return async () => {
    documents.destroy();
    await database.stop();
  };
});

type Item = Record<string, unknown>;

const put = async (item: Item): Promise<void> => {
  await documents.send(new PutCommand({ TableName: database.tableName, Item: item }));
};
const read = async (clubId: string, sk = 'CLUB'): Promise<Item | undefined> => {
  const Key = { pk: `CLUB#${clubId}`, sk };
  return (await documents.send(new GetCommand({ TableName: database.tableName, Key }))).Item;
};
/** What the sparse index holds of a club. */
const indexed = async (clubId: string): Promise<Item[]> => {
  const { Items = [] } = await documents.send(
    new QueryCommand({
      TableName: database.tableName,
      IndexName: 'activeMeetings',
      KeyConditionExpression: 'activeShard = :shard',
      ExpressionAttributeValues: { ':shard': activeShardOf(clubId) },
    }),
  );
  return Items.filter(({ pk }) => pk === `CLUB#${clubId}`);
};

const clubItem = (clubId: string): Item => ({
  pk: `CLUB#${clubId}`,
  sk: 'CLUB',
  clubId,
  name: 'Bücher 📚',
  moderatorId: 'ada',
  createdAt: '2026-01-01T00:00:00.000Z',
});

const newMeeting = (clubId: string, at = STARTED_AT): Meeting => {
  const meetingId = ulid(Date.parse(at));
  return {
    meetingId,
    roomName: roomNameOf(clubId, meetingId),
    startedAt: at,
    startedBy: 'ada',
    maxParticipants: 50,
  };
};

const ended = ({ meetingId, roomName, startedAt }: Meeting): EndedMeeting => ({
  meetingId,
  roomName,
  startedAt,
  endedAt: ENDED_AT,
  durationSeconds: 3601,
  endedBy: 'ada',
  reason: 'moderator',
});

/** A club of its own for a test, with a meeting on where that is asked for. */
async function newClub(): Promise<string> {
  const clubId = `club-${randomUUID()}`;
  await put(clubItem(clubId));
  return clubId;
}
async function newClubWithMeeting(): Promise<{ clubId: string; meeting: Meeting }> {
  const clubId = await newClub();
  const meeting = newMeeting(clubId);
  expect(await clubs.claimMeeting({ clubId }, meeting)).toBeDefined();
  return { clubId, meeting };
}

describe('reading a club', () => {
  test('returns every field of the club and of the calling member', async () => {
    const clubId = await newClub();
    const meeting = { ...newMeeting(clubId), vacantSince: VACANT_SINCE };
    const lastMeeting = { ...ended(newMeeting(clubId)), endedBy: null, reason: 'vacant' };
    const presence = {
      roomSid: 'RM_1',
      roomCreatedAt: STARTED_AT,
      isComplete: true,
      isFinished: false,
      observedAt: STARTED_AT,
    };
    const presentSids = new Set(['PA_1', 'PA_2']);
    const own = { meeting, lastMeeting, presence, presentSids };
    await put({ ...clubItem(clubId), ...own, activeShard: '0', activeSince: STARTED_AT });
    const member = {
      userId: 'ben',
      displayName: 'Ben 👋',
      role: 'moderator',
      joinedAt: '2026-02-03T04:05:06.789Z',
    };
    await put({ pk: `CLUB#${clubId}`, sk: 'MEMBER#ben', ...member });

    const { pk: _, sk: __, ...fields } = clubItem(clubId);
    const club = { ...fields, ...own };
    expect(await clubs.getClubAndMember(clubId, 'ben')).toEqual({ club, member });
    expect(await clubs.getClub(clubId)).toEqual(club);
  });

  test('without a meeting, a history or a display name leaves those out', async () => {
    const clubId = await newClub();
    const member = { userId: 'ben', role: 'member', joinedAt: STARTED_AT };
    await put({ pk: `CLUB#${clubId}`, sk: 'MEMBER#ben', ...member });
    const { pk: _, sk: __, ...club } = clubItem(clubId);
    expect(await clubs.getClubAndMember(clubId, 'ben')).toEqual({ club, member });
  });

  test('that does not exist is undefined', async () => {
    expect(await clubs.getClub('no-club')).toBeUndefined();
    expect(await clubs.getClubAndMember('no-club', 'ben')).toEqual({
      club: undefined,
      member: undefined,
    });
  });

  test('returns a club without the member, and no member without a club', async () => {
    const clubId = await newClub();
    const withoutMember = await clubs.getClubAndMember(clubId, 'ben');
    expect(withoutMember.club?.clubId).toBe(clubId);
    expect(withoutMember.member).toBeUndefined();

    const member = { userId: 'ben', role: 'member', joinedAt: STARTED_AT };
    await put({ pk: 'CLUB#gone', sk: 'MEMBER#ben', ...member });
    expect(await clubs.getClubAndMember('gone', 'ben')).toEqual({
      club: undefined,
      member: undefined,
    });
  });

  test('never returns the member of another club, or another member of this one', async () => {
    const [clubId, other] = [await newClub(), await newClub()];
    const member = { userId: 'ben', role: 'moderator', joinedAt: STARTED_AT };
    await put({ pk: `CLUB#${other}`, sk: 'MEMBER#ben', ...member });
    await put({ pk: `CLUB#${clubId}`, sk: 'MEMBER#ben2', ...member });
    expect((await clubs.getClubAndMember(clubId, 'ben')).member).toBeUndefined();
  });

  test('leaves out what this version does not know', async () => {
    const clubId = await newClub();
    await put({ ...clubItem(clubId), colour: 'green', meeting: { ...newMeeting(clubId), v: 2 } });
    const club = await clubs.getClub(clubId);
    expect(club).not.toHaveProperty('colour');
    expect(club).not.toHaveProperty('meeting.v');
    expect(club).not.toHaveProperty('pk');
  });
});

describe('a corrupt item', () => {
  const SECRET = 'a-private-detail';

  test.each<[string, Item]>([
    ['a name that is no text', { name: [SECRET] }],
    ['no moderator', { moderatorId: undefined, name: SECRET }],
    ['a moderator who could forge a key', { moderatorId: `${SECRET}#CLUB` }],
    ['a creation that is no time', { createdAt: SECRET }],
    ['a meeting without its fields', { meeting: { note: SECRET } }],
    ['a meeting that is text', { meeting: SECRET }],
    ['an id of a meeting that is none', { meeting: { ...newMeeting('c'), meetingId: SECRET } }],
    ['a limit that is text', { meeting: { ...newMeeting('c'), maxParticipants: SECRET } }],
    [
      'an end for an unknown reason',
      { lastMeeting: { ...ended(newMeeting('c')), reason: SECRET } },
    ],
    ['present people that are text', { presentSids: SECRET }],
  ])('with %s is an error that shows nothing of it, and no absent club', async (_, change) => {
    const clubId = await newClub();
    await put({ ...clubItem(clubId), ...change });
    for (const read of [clubs.getClub, clubs.getClubAndMember]) {
      const error = await failureOf(read(clubId, 'ben'));
      expect(error).not.toBeInstanceOf(StoreUnavailable);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
    }
  });

  test('of a member is an error without its content, not a missing member', async () => {
    const clubId = await newClub();
    await put({ pk: `CLUB#${clubId}`, sk: 'MEMBER#ben', userId: 'ben', role: SECRET });
    const error = await failureOf(clubs.getClubAndMember(clubId, 'ben'));
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
  });

  test('of an ended meeting is an error without its content', async () => {
    const clubId = await newClub();
    const { meetingId } = newMeeting(clubId);
    await put({ pk: `CLUB#${clubId}`, sk: `MEETING#${meetingId}`, meetingId, roomName: [SECRET] });
    const error = await failureOf(clubs.getEndedMeeting({ clubId }, meetingId));
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
  });
});

describe('claiming a meeting', () => {
  test('sets it, with every field, and puts the club into the sparse index', async () => {
    const clubId = await newClub();
    const meeting = newMeeting(clubId);
    expect(await clubs.claimMeeting({ clubId }, meeting)).toBeDefined();
    expect(await read(clubId)).toEqual({
      ...clubItem(clubId),
      meeting,
      activeShard: activeShardOf(clubId),
      activeSince: STARTED_AT,
    });
    expect((await clubs.getClub(clubId))?.meeting).toEqual(meeting);
    expect(await indexed(clubId)).toEqual([
      {
        pk: `CLUB#${clubId}`,
        sk: 'CLUB',
        activeShard: activeShardOf(clubId),
        activeSince: STARTED_AT,
      },
    ]);
  });

  test('is refused while one is on, and changes nothing', async () => {
    const { clubId } = await newClubWithMeeting();
    const before = await read(clubId);
    expect(await clubs.claimMeeting({ clubId }, newMeeting(clubId))).toBeUndefined();
    expect(await read(clubId)).toEqual(before);
  });

  test('is refused for a club that does not exist, and makes none', async () => {
    expect(await clubs.claimMeeting({ clubId: 'no-club' }, newMeeting('no-club'))).toBeUndefined();
    expect(await read('no-club')).toBeUndefined();
  });

  test('is won by one of twenty at once', async () => {
    const clubId = await newClub();
    const meetings = Array.from({ length: 20 }, () => newMeeting(clubId));
    const won = await Promise.all(meetings.map((each) => clubs.claimMeeting({ clubId }, each)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await clubs.getClub(clubId))?.meeting).toEqual(meetings[won.findIndex(Boolean)]);
  });

  test('forgets who was present in the meeting before', async () => {
    const clubId = await newClub();
    await put({
      ...clubItem(clubId),
      presence: { roomSid: 'RM_1' },
      presentSids: new Set(['PA_1']),
    });
    await clubs.claimMeeting({ clubId }, newMeeting(clubId));
    expect(await read(clubId)).not.toHaveProperty('presence');
    expect(await read(clubId)).not.toHaveProperty('presentSids');
  });
});

describe('concluding a meeting', () => {
  test('moves it to lastMeeting and takes the club out of the sparse index', async () => {
    const { clubId, meeting } = await newClubWithMeeting();
    expect(await clubs.concludeMeeting({ clubId }, ended(meeting))).toBe(true);
    expect(await read(clubId)).toEqual({ ...clubItem(clubId), lastMeeting: ended(meeting) });
    expect((await clubs.getClub(clubId))?.lastMeeting).toEqual(ended(meeting));
    expect(await indexed(clubId)).toEqual([]);
  });

  test('never touches another meeting', async () => {
    const { clubId } = await newClubWithMeeting();
    const before = await read(clubId);
    expect(await clubs.concludeMeeting({ clubId }, ended(newMeeting(clubId)))).toBe(false);
    expect(await read(clubId)).toEqual(before);
  });

  test('is refused when none is on, or the club does not exist', async () => {
    const clubId = await newClub();
    expect(await clubs.concludeMeeting({ clubId }, ended(newMeeting(clubId)))).toBe(false);
    expect(await clubs.concludeMeeting({ clubId: 'no-club' }, ended(newMeeting('no-club')))).toBe(
      false,
    );
    expect(await read('no-club')).toBeUndefined();
  });

  test('is decided by one of twenty at once', async () => {
    const { clubId, meeting } = await newClubWithMeeting();
    const ends = Array.from({ length: 20 }, (_, index) => ({
      ...ended(meeting),
      durationSeconds: index,
    }));
    const won = await Promise.all(ends.map((each) => clubs.concludeMeeting({ clubId }, each)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await clubs.getClub(clubId))?.lastMeeting).toEqual(ends[won.indexOf(true)]);
  });

  test('leaves the club ready for the next one', async () => {
    const { clubId, meeting } = await newClubWithMeeting();
    await clubs.concludeMeeting({ clubId }, ended(meeting));
    const next = newMeeting(clubId, '2026-08-30T18:00:00.000Z');
    expect(await clubs.claimMeeting({ clubId }, next)).toBeDefined();
    expect(await clubs.getClub(clubId)).toMatchObject({
      meeting: next,
      lastMeeting: ended(meeting),
    });
    expect(await indexed(clubId)).toMatchObject([{ activeSince: '2026-08-30T18:00:00.000Z' }]);
  });

  test('because it is vacant happens only while it is vacant since that very moment', async () => {
    const { clubId, meeting } = await newClubWithMeeting();
    const conclude = (vacantSince: string) =>
      clubs.concludeMeeting({ clubId }, ended(meeting), { vacantSince });
    expect(await conclude(VACANT_SINCE)).toBe(false); // not vacant at all
    await clubs.markVacant(clubId, { meetingId: meeting.meetingId, since: VACANT_SINCE });
    expect(await conclude('2026-08-29T18:29:59.000Z')).toBe(false);
    expect(await conclude(VACANT_SINCE)).toBe(true);
  });

  test('because it is vacant never happens with a participant present', async () => {
    const clubId = await newClub();
    const meeting = { ...newMeeting(clubId), vacantSince: VACANT_SINCE };
    await put({ ...clubItem(clubId), meeting, presentSids: new Set(['PA_1']) });
    const onlyIf = { vacantSince: VACANT_SINCE };
    expect(await clubs.concludeMeeting({ clubId }, ended(meeting), onlyIf)).toBe(false);
  });
});

describe('the vacancy of a meeting', () => {
  test('is noted once: a later note does not move it', async () => {
    const { clubId, meeting } = await newClubWithMeeting();
    const { meetingId } = meeting;
    expect(await clubs.markVacant(clubId, { meetingId, since: VACANT_SINCE })).toBe(true);
    expect(await clubs.markVacant(clubId, { meetingId, since: ENDED_AT })).toBe(false);
    expect((await clubs.getClub(clubId))?.meeting?.vacantSince).toBe(VACANT_SINCE);
  });

  test('is not noted with a participant present', async () => {
    const clubId = await newClub();
    const meeting = newMeeting(clubId);
    await put({ ...clubItem(clubId), meeting, presentSids: new Set(['PA_1']) });
    const vacancy = { meetingId: meeting.meetingId, since: VACANT_SINCE };
    expect(await clubs.markVacant(clubId, vacancy)).toBe(false);
  });

  test('is cleared, and that can be repeated', async () => {
    const { clubId, meeting } = await newClubWithMeeting();
    const { meetingId } = meeting;
    await clubs.markVacant(clubId, { meetingId, since: VACANT_SINCE });
    expect(await clubs.clearVacant(clubId, meetingId)).toBe(true);
    expect(await clubs.clearVacant(clubId, meetingId)).toBe(true);
    expect((await clubs.getClub(clubId))?.meeting).toEqual(meeting);
  });

  test('of another meeting is neither noted nor cleared', async () => {
    const { clubId, meeting } = await newClubWithMeeting();
    await clubs.markVacant(clubId, { meetingId: meeting.meetingId, since: VACANT_SINCE });
    const before = await read(clubId);
    const { meetingId } = newMeeting(clubId);
    expect(await clubs.markVacant(clubId, { meetingId, since: ENDED_AT })).toBe(false);
    expect(await clubs.clearVacant(clubId, meetingId)).toBe(false);
    expect(await clubs.clearVacant('no-club', meetingId)).toBe(false);
    expect(await read(clubId)).toEqual(before);
  });
});

describe('the history', () => {
  test('keeps each ended meeting under its id, word for word', async () => {
    const clubId = await newClub();
    const meeting = ended(newMeeting(clubId));
    await clubs.recordEndedMeeting({ clubId }, meeting);
    expect(await read(clubId, `MEETING#${meeting.meetingId}`)).toEqual({
      pk: `CLUB#${clubId}`,
      sk: `MEETING#${meeting.meetingId}`,
      ...meeting,
    });
    expect(await clubs.getEndedMeeting({ clubId }, meeting.meetingId)).toEqual(meeting);
  });

  test('is the same after a row was put twice', async () => {
    const clubId = await newClub();
    const meeting = ended(newMeeting(clubId));
    await clubs.recordEndedMeeting({ clubId }, meeting);
    await clubs.recordEndedMeeting({ clubId }, meeting);
    expect(await clubs.listEndedMeetings({ clubId }, { before: undefined, limit: 10 })).toEqual([
      meeting,
    ]);
  });

  test('holds nothing of another club', async () => {
    const clubId = await newClub();
    const meeting = ended(newMeeting(clubId));
    await clubs.recordEndedMeeting({ clubId }, meeting);
    expect(
      await clubs.getEndedMeeting({ clubId: await newClub() }, meeting.meetingId),
    ).toBeUndefined();
  });

  test('is listed newest first, page after page, each meeting once', async () => {
    const clubId = await newClub();
    await put({ pk: `CLUB#${clubId}`, sk: 'MEMBER#ben', userId: 'ben', role: 'member' });
    const meetings = Array.from({ length: 7 }, (_, day) =>
      ended(newMeeting(clubId, `2026-08-0${day + 1}T18:00:00.000Z`)),
    );
    await Promise.all(meetings.map((meeting) => clubs.recordEndedMeeting({ clubId }, meeting)));
    const listed: EndedMeeting[] = [];
    for (const size of [3, 3, 1, 0]) {
      const before = listed.at(-1)?.meetingId;
      const page = await clubs.listEndedMeetings({ clubId }, { before, limit: 3 });
      expect(page).toHaveLength(size);
      listed.push(...page);
    }
    expect(listed).toEqual(meetings.toReversed());
  });

  test('goes on after a meeting that has no row', async () => {
    const clubId = await newClub();
    const [old, middle, recent] = ['2026-08-01', '2026-08-02', '2026-08-03'].map((day) =>
      ended(newMeeting(clubId, `${day}T18:00:00.000Z`)),
    );
    if (!old || !middle || !recent) throw new Error('There are three days');
    await clubs.recordEndedMeeting({ clubId }, old);
    await clubs.recordEndedMeeting({ clubId }, recent);
    const page = { before: middle.meetingId, limit: 1 };
    expect(await clubs.listEndedMeetings({ clubId }, page)).toEqual([old]);
  });
});

describe('the clubs with a meeting on', () => {
  test('are listed, and no other item is', async () => {
    const idle = await newClub();
    const [over, on] = [await newClubWithMeeting(), await newClubWithMeeting()];
    await clubs.concludeMeeting(over, ended(over.meeting));
    const active = await clubs.listActiveClubIds();
    expect(active).toContain(on.clubId);
    expect(active).not.toContain(over.clubId);
    expect(active).not.toContain(idle);
    expect(new Set(active).size).toBe(active.length);
  });

  test('are read in batches of a hundred, without those that do not exist', async () => {
    const ids = Array.from({ length: 150 }, () => `club-${randomUUID()}`);
    await Promise.all(ids.map((clubId) => put(clubItem(clubId))));
    const sizes: number[] = [];
    const read: string[] = [];
    for await (const batch of clubs.getClubs(['no-club', ...ids])) {
      sizes.push(batch.length);
      read.push(...batch.map(({ clubId }) => clubId));
    }
    expect(sizes).toEqual([99, 51]);
    expect(read.toSorted()).toEqual(ids.toSorted());
  });

  test('are an empty list without a read when no ids are given', async () => {
    const { url, requests } = await serveHttp(() => ({ status: 500 }));
    const table = openTable({ tableName: 'any', endpoint: url });
    expect(await createClubRepository(table).filterEnded([])).toEqual([]);
    expect(await table.batchGet([])).toEqual([]);
    expect(requests).toEqual([]);
  });

  test('are listed from every page of the index', async () => {
    const { url } = await serveHttp(({ body }) => {
      const { ExpressionAttributeValues: values, ExclusiveStartKey: start } = JSON.parse(body);
      const shard: string = values[':shard'].S;
      const pk = { S: start ? `${start.pk.S}-next` : `CLUB#${shard}` };
      return {
        headers: { 'content-type': 'application/x-amz-json-1.0' },
        body: { Items: [{ pk }], ...(!start && { LastEvaluatedKey: { pk } }) },
      };
    });
    const paged = createClubRepository(openTable({ tableName: 'any', endpoint: url }));
    expect((await paged.listActiveClubIds()).toSorted()).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].flatMap((shard) => [`${shard}`, `${shard}-next`]),
    );
  });
});

describe('which meetings have ended', () => {
  test('is known of the last one and of every row, and of nothing else', async () => {
    const { clubId, meeting: last } = await newClubWithMeeting();
    await clubs.concludeMeeting({ clubId }, ended(last));
    const [row, unknown] = [newMeeting(clubId), newMeeting(clubId)];
    await clubs.recordEndedMeeting({ clubId }, ended(row));
    const on = await newClubWithMeeting();
    const refs = [
      { clubId, meetingId: last.meetingId },
      { clubId, meetingId: row.meetingId },
      { clubId, meetingId: unknown.meetingId },
      { clubId: on.clubId, meetingId: on.meeting.meetingId },
      { clubId: on.clubId, meetingId: row.meetingId },
      { clubId: 'no-club', meetingId: last.meetingId },
    ];
    expect(await clubs.filterEnded(refs)).toEqual(refs.slice(0, 2));
  });

  test('handles more than fit into one request', async () => {
    const clubId = await newClub();
    const meetings = Array.from({ length: 120 }, () => newMeeting(clubId));
    await Promise.all(meetings.map((each) => clubs.recordEndedMeeting({ clubId }, ended(each))));
    const refs = meetings.map(({ meetingId }) => ({ clubId, meetingId }));
    expect(await clubs.filterEnded([...refs, { clubId, meetingId: ulid() }])).toEqual(refs);
  });
});

describe('the shard of a club', () => {
  test('is one of eight', () => {
    fc.assert(fc.property(fc.string(), (id) => /^[0-7]$/.test(activeShardOf(id))));
  });

  test('never changes, since what is in the index was put there by older versions', () => {
    expect(
      Object.fromEntries(['novels', 'poems', 'a', 'my-club'].map((id) => [id, activeShardOf(id)])),
    ).toEqual({ novels: '1', poems: '4', a: '2', 'my-club': '0' });
  });

  test('spreads the clubs evenly', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 8000; index += 1) {
      const shard = activeShardOf(`club-${index}`);
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }
    expect(counts.size).toBe(8);
    for (const count of counts.values()) {
      expect(count).toBeGreaterThan(850);
      expect(count).toBeLessThan(1150);
    }
  });
});

async function failureOf(reading: Promise<unknown>): Promise<Error> {
  const error = await reading.then(
    (answer) => expect.fail(`It was read: ${inspect(answer)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) expect.fail(`No error: ${inspect(error)}`);
  return error;
}
