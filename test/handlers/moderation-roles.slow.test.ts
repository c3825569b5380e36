/** Every route, asked by everybody, with a meeting on and without: a table with no hole in it. */
import { describe, expect, it } from 'vitest';
import type { User } from '../harness/issuer.ts';
import { about, type CallOptions, ROUTES, type Route } from '../harness/routes.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const ROLES = [
  'moderatorId',
  'moderator',
  'promoted',
  'member',
  'demoted',
  'removed',
  'removed moderator',
  'taken off the club',
  'outsider',
  'moderatorId of another club',
  'moderator of another club',
  'no token',
] as const;
type Role = (typeof ROLES)[number];

const STATES = ['on', 'over'] as const;
type State = (typeof STATES)[number];

const OK = '200';
const OFF = '409 MEETING_NOT_ACTIVE';
const NO_MEMBER = '403 NOT_A_MEMBER';
const NO_MODERATOR = '403 NOT_A_MODERATOR';
const NOT_ALLOWED = '403 NOT_ALLOWED';
const REMOVED = '403 REMOVED_FROM_MEETING';
const NOT_RECORDED = '409 RECORDING_NOT_ACTIVE';
const NO_FILE = '404 RECORDING_NOT_FOUND';
const UNKNOWN = '401 UNAUTHENTICATED';

/** What each route answers. */
type Row = Record<Route, string>;
const rowOf = <R extends Route>(status: string, ...routes: R[]) =>
  Object.fromEntries(routes.map((route) => [route, status])) as Record<R, string>;
const everyRoute = (status: string): Row => rowOf(status, ...ROUTES);

/** No recording is on, and the last meeting has none. */
const UNRECORDED = { recordingStop: NOT_RECORDED, recordingDownload: NO_FILE };
const theModerator: Row = { ...everyRoute(OK), ...UNRECORDED, recordingDelete: NO_FILE };
const aModerator: Row = { ...theModerator, role: NOT_ALLOWED };
/** What every member may see. */
const SEEN: Route[] = ['status', 'meetings', 'meeting', 'myClubs', 'members', 'recordings'];
const aMember: Row = {
  ...everyRoute(NO_MODERATOR),
  ...rowOf(OK, ...SEEN, 'token', 'recordingConsent'),
};
const aStranger: Row = {
  ...everyRoute(NO_MODERATOR),
  ...rowOf(NO_MEMBER, ...SEEN, 'token', 'recordingConsent', 'recordingDownload'),
  // Their own clubs: this one is not among them.
  myClubs: OK,
};

const WHILE_ON: Record<Role, Row> = {
  moderatorId: theModerator,
  moderator: aModerator,
  promoted: aModerator,
  member: aMember,
  demoted: aMember,
  removed: { ...aMember, token: REMOVED, recordingConsent: REMOVED },
  'removed moderator': {
    ...everyRoute(REMOVED),
    ...rowOf(OK, ...SEEN),
    ...rowOf(NO_FILE, 'recordingDownload', 'recordingDelete'),
    role: NOT_ALLOWED,
  },
  'taken off the club': aStranger,
  outsider: aStranger,
  'moderatorId of another club': aStranger,
  'moderator of another club': aStranger,
  'no token': everyRoute(UNKNOWN),
};

const OF_A_MEETING: Route[] = [
  'token',
  'participants',
  'mute',
  'muteAll',
  'remove',
  'readmit',
  'recordingStart',
  'recordingStop',
  'recordingConsent',
];

/** The bars went with the meeting, and so did what there was to moderate. */
const nothingOn = (row: Row): Row => {
  const off = (status: string) => ([OK, REMOVED, NOT_RECORDED].includes(status) ? OFF : status);
  const lifted = (status: string) => (status === REMOVED ? OK : status);
  const after = (route: Route) => (OF_A_MEETING.includes(route) ? off : lifted)(row[route]);
  return Object.fromEntries(ROUTES.map((route) => [route, after(route)])) as Row;
};

const expected = (state: State, role: Role): Row =>
  state === 'on' ? WHILE_ON[role] : nothingOn(WHILE_ON[role]);

/** Looking changes nothing. */
const LOOKS: Route[] = [...SEEN, 'participants', 'recordingDownload'];

const world = await worldOfFile({ isRecorded: true });
const service = await world.boot();
const away = await world.startMeeting();

/** A club with a meeting in its history, in this state, and a target in the room. */
async function clubFor(state: State, role: Role) {
  const club = await world.createClub();
  const { clubId } = club;
  await service.call('start', club.owner, club);
  const { body: past } = await service.call('end', club.owner, club);
  const { body: meeting } = await service.call('start', club.owner, club);
  await world.standIn.join(meeting.roomName, { identity: club.other.userId, tracks: [{}] });
  const who = await become(role, club);
  if (state === 'over') await service.call('end', club.owner, club);
  return { clubId, who, target: club.other.userId, meetingId: past.meetingId };
}

async function become(role: Role, club: TestClub): Promise<User | undefined> {
  const { clubId, owner, moderator, deputy, member, outsider } = club;
  const by = { clubId, userId: member.userId };
  switch (role) {
    case 'moderatorId':
      return owner;
    case 'moderator':
      return moderator;
    case 'promoted':
      await service.call('role', owner, { ...by, body: { role: 'moderator' } });
      return member;
    case 'member':
      return member;
    case 'demoted':
      await service.call('role', owner, about(club, deputy, { role: 'member' }));
      return deputy;
    case 'removed':
      await service.call('remove', owner, by);
      return member;
    case 'removed moderator':
      await service.call('remove', owner, { ...by, userId: deputy.userId });
      return deputy;
    case 'taken off the club':
      await service.manage({ command: 'remove-member', clubId, userId: member.userId });
      return member;
    case 'outsider':
      return outsider;
    case 'moderatorId of another club':
      return away.owner;
    case 'moderator of another club':
      return away.moderator;
    case 'no token':
      return undefined;
  }
}

/** The club's rooms, with their participants. */
const roomsOf = async (clubId: string) =>
  (await world.standIn.rooms()).filter(({ name }) => name.includes(clubId));

const optionsOf = (
  route: Route,
  { clubId, target, meetingId }: Awaited<ReturnType<typeof clubFor>>,
): CallOptions => ({
  clubId,
  ...(['mute', 'remove', 'readmit', 'role'].includes(route) && { userId: target }),
  ...(['meeting', 'recordings'].includes(route) && { meetingId }),
  ...(['recordingDownload', 'recordingDelete'].includes(route) && {
    meetingId,
    recordingId: '01ARZ3NDEKTSV4RRFFQ69G5FAW',
  }),
  ...(route === 'role' && { body: { role: 'moderator' } }),
});

describe.each(STATES)('With a meeting that is %s', (state) => {
  it.each(ROLES)('%s', async (role) => {
    const answers: Partial<Row> = {};
    let club = await clubFor(state, role);
    for (const route of ROUTES) {
      const before = await world.itemsOf(club.clubId);
      const rooms = await roomsOf(club.clubId);
      service.wire.forget();
      const { status, body } = await service.call(route, club.who, optionsOf(route, club));
      answers[route] = body.code ? `${status} ${body.code}` : String(status);
      if (status === 200 && !LOOKS.includes(route)) {
        club = await clubFor(state, role);
        continue;
      }
      const changed = {
        items: await world.itemsOf(club.clubId),
        rooms: await roomsOf(club.clubId),
      };
      expect(changed, `${route} changes nothing`).toEqual({ items: before, rooms });
      if (status !== 200) {
        const reads = body.code === 'RECORDING_NOT_FOUND' ? ['GetItem'] : [];
        const asked = service.wire
          .operations()
          .filter((name) => !['BatchGetItem', ...reads].includes(name));
        // A start claims beside the read, under the condition that the club's own moderator asks.
        const claims = route === 'start' && status !== 401 ? ['UpdateItem'] : [];
        expect(asked, `${route} asks for no more than the record`).toEqual(claims);
      }
    }
    expect(answers).toEqual(expected(state, role));
  });
});
