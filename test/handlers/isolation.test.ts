/** A user of one club can do nothing in another: every route, every role. */
import { describe, expect, it } from 'vitest';
import type { User } from '../harness/issuer.ts';
import type { Route } from '../harness/routes.ts';
import { worldOfFile } from '../harness/world.ts';

const OUTSIDER: User = { userId: '00000000-0000-4000-8000-000000000000', username: 'stranger' };
const STRANGERS = ['owner', 'moderator', 'member', 'nameless', 'outsider'] as const;
const REFUSALS = [
  { route: 'token', code: 'NOT_A_MEMBER' },
  { route: 'status', code: 'NOT_A_MEMBER' },
  { route: 'start', code: 'NOT_A_MODERATOR' },
  { route: 'end', code: 'NOT_A_MODERATOR' },
] as const satisfies { route: Route; code: string }[];

const world = await worldOfFile();
/** Where the strangers come from, with a meeting on that they may do everything with. */
const home = await world.startMeeting();

const strangerOf = (role: (typeof STRANGERS)[number]) =>
  role === 'outsider' ? OUTSIDER : home[role];

describe.each(STRANGERS)('The %s of another club', (role) => {
  describe.each(['idle', 'on'] as const)('in a club whose meeting is %s', (state) => {
    it.each(REFUSALS)('is refused $route, and changes nothing', async ({ route, code }) => {
      const club = await world.createClub();
      if (state === 'on') await world.call('start', club.moderator, club);
      const before = [await world.scan(), await world.standIn.rooms()];

      const { call, wire } = await world.boot();
      const { clubId } = club;
      const { status, body } = await call(route, strangerOf(role), { clubId });

      expect({ status, body }).toEqual({
        status: 403,
        body: { error: expect.any(String), code, requestId: expect.any(String) },
      });
      expect(wire.operations()).not.toContain('CreateRoom');
      // A start claims beside the read, under the condition that the club's own moderator asks.
      const claim = route === 'start' ? ['UpdateItem'] : [];
      const asked = wire.operations().filter((name) => name !== 'GetKeys');
      expect(asked.toSorted()).toEqual(['BatchGetItem', ...claim]);
      expect([await world.scan(), await world.standIn.rooms()]).toEqual(before);
    });
  });

  it('cannot end its meeting by naming it', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { meetingId } = meeting;
    const stranger = strangerOf(role);
    const there = await world.call('end', stranger, { ...club, body: { meetingId } });
    expect(there.status).toBe(403);
    const fromHome = await world.call('end', stranger, { ...home, body: { meetingId } });
    // A moderator may end the meetings of their own club, but this one is not among them.
    expect(fromHome.status).toBe(role === 'owner' || role === 'moderator' ? 409 : 403);
    expect((await world.meetingOf(club.clubId))?.meetingId).toBe(meetingId);
    await world.expectAgreement(club.clubId);
    await world.expectAgreement(home.clubId);
  });
});

describe('A token', () => {
  it('of one club opens no room of another', async () => {
    const { meeting } = await world.startMeeting();
    const { body } = await world.call('token', home.moderator, { clubId: home.clubId });
    const joined = await world.standIn.joinWithToken(body.token);
    expect(joined.roomName).not.toBe(meeting.roomName);
    expect(joined.roomName).toContain(home.clubId);
  });
});

describe('A club whose id begins with the id of another', () => {
  it('shares neither members nor meetings with it', async () => {
    const { clubId } = await world.createClub();
    const longer = `${clubId}-2`;
    const { outcome } = await world.call('status', home.member, { clubId: longer });
    expect(outcome).toBe('404 CLUB_NOT_FOUND');
  });
});

describe('A member without the role', () => {
  it.each(['member', 'nameless'] as const)(
    '(%s) may look and join, and neither start nor end',
    async (role) => {
      const club = await world.createClub();
      expect((await world.call('start', club[role], club)).status).toBe(403);
      await world.call('start', club.moderator, club);
      expect((await world.call('end', club[role], club)).status).toBe(403);
      expect((await world.call('status', club[role], club)).status).toBe(200);
      const { clubId } = club;
      expect((await world.call('token', club[role], { clubId })).status).toBe(200);
    },
  );
});
