/**
 * What a backend may rely on in LiveKit, on the real server and on the stand-in alike. Whatever is
 * changed in the stand-in must pass here on both, or it is no stand-in.
 */
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  type Room,
  RoomConfiguration,
} from '@livekit/protocol';
import { type CreateOptions, ServerError, type VideoGrant } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JoinRefused } from '../../local/livekit/stand-in.ts';
import { eventually, until } from '../harness/eventually.ts';
import { API_KEY, API_SECRET } from '../harness/livekit-events.ts';
import { isMissing, LIVEKITS } from '../harness/world.ts';
import {
  joinToken,
  OTHER_KEY,
  OTHER_SECRET,
  startWorld,
  type TokenOptions,
  tokenWith,
  type World,
} from './livekits.ts';

const TOO_LONG = 'x'.repeat(257);
const nowSeconds = () => Math.floor(Date.now() / 1000);

describe.each(LIVEKITS)('LiveKit as a %s', (kind) => {
  describe.skipIf(isMissing(kind))('honours its contract:', { timeout: 20_000 }, () => {
    let world: World;
    let sequence = 0;
    /** Tests share a server, never a room. */
    const newName = () => `room-${kind}-${++sequence}`;
    const newRoom = async (options: Omit<CreateOptions, 'name'> = {}) => {
      const { name } = await world.rooms.createRoom({ name: newName(), ...options });
      return name;
    };
    const enter = async (room: string, identity = 'participant', options: TokenOptions = {}) =>
      world.join(await joinToken(room, { identity, ...options }));
    const listed = async (name: string) => (await world.rooms.listRooms([name]))[0];
    const isClosed = (name: string) =>
      until(async () => (await listed(name)) === undefined, 'closed');
    const counts = (name: string, people: number, withinMs: number) =>
      until(async () => (await listed(name))?.numParticipants === people, 'counted', withinMs);

    beforeAll(async () => {
      world = await startWorld(kind);
    }, 20_000);
    afterAll(async () => {
      await world?.close();
    }, 20_000);

    async function post(method: string, body: unknown, headers: Record<string, string> = {}) {
      const response = await fetch(`${world.url}/twirp/livekit.RoomService/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      const type = response.headers.get('content-type')?.split(';')[0];
      return {
        status: response.status,
        type,
        body: type?.includes('json') ? JSON.parse(text) : text,
      };
    }
    const withGrant = async (grant: VideoGrant | undefined, options = {}) => ({
      authorization: `Bearer ${await tokenWith(grant, options)}`,
    });

    describe('health', () => {
      it('answers 200 at its root, without a token', async () => {
        const response = await fetch(world.url);
        expect(response.status).toBe(200);
        expect(await response.text()).toMatch(/^OK/);
      });
    });

    describe('API keys', () => {
      it('accepts each of its keys, in the header or as access_token', async () => {
        const options = { key: OTHER_KEY, secret: OTHER_SECRET };
        const ok = await post('ListRooms', {}, await withGrant({ roomList: true }, options));
        expect(ok.status).toBe(200);
        const query = `ListRooms?access_token=${await tokenWith({ roomList: true })}`;
        expect((await post(query, {})).status).toBe(200);
      });

      it.each<[string, () => Promise<Record<string, string>>, RegExp]>([
        [
          'no bearer',
          async () => ({ authorization: 'Basic abc' }),
          /^invalid authorization header/,
        ],
        ['no JWT', async () => ({ authorization: 'Bearer abc' }), /^invalid authorization token$/],
        [
          'an unknown key',
          () => withGrant({ roomList: true }, { key: 'unknown' }),
          /^invalid API key: unknown$/,
        ],
        [
          'a wrong secret',
          () => withGrant({ roomList: true }, { secret: OTHER_SECRET }),
          /^invalid token: .*signature is invalid$/,
        ],
        [
          'a token of one key signed by another',
          () => withGrant({ roomList: true }, { key: OTHER_KEY }),
          /^invalid token: .*signature is invalid$/,
        ],
        ['no issuer', async () => bearer({ video: { roomList: true } }), /^invalid API key: $/],
        [
          'alg none',
          async () => bearer({ iss: API_KEY, video: { roomList: true } }, 'none'),
          /signing method none is invalid$/,
        ],
        [
          'an expired token',
          async () => bearer({ iss: API_KEY, exp: nowSeconds() - 70, video: { roomList: true } }),
          /token is expired$/,
        ],
        [
          'a token from the future',
          async () => bearer({ iss: API_KEY, nbf: nowSeconds() + 70, video: { roomList: true } }),
          /token is not valid yet$/,
        ],
        [
          'grants of a wrong type',
          async () => bearer({ iss: API_KEY, video: 'everything' }),
          /^invalid token: .*could not JSON decode claim/,
        ],
      ])('refuses %s with 401 in plain text', async (_what, headers, message) => {
        const answer = await post('ListRooms', {}, await headers());
        expect(answer).toMatchObject({ status: 401, type: 'text/plain' });
        expect(answer.body).toMatch(message);
      });

      it.each([
        ['expired', { exp: -50 }],
        ['not valid yet', { nbf: 50 }],
        ['without any expiry', {}],
      ])('lets a token pass that is %s, within a minute of leeway', async (_what, offsets) => {
        const times = Object.entries(offsets).map(([claim, by]) => [claim, nowSeconds() + by]);
        const claims = { iss: API_KEY, video: { roomList: true }, ...Object.fromEntries(times) };
        expect((await post('ListRooms', {}, bearer(claims))).status).toBe(200);
      });

      it('makes the SDK throw a ServerError with status 401 and no code', async () => {
        const { RoomServiceClient } = await import('livekit-server-sdk');
        const stranger = new RoomServiceClient(world.wsUrl, API_KEY, OTHER_SECRET);
        const error = await stranger.listRooms().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(ServerError);
        expect(error).toMatchObject({ status: 401, code: undefined });
      });
    });

    describe('grants', () => {
      const room = 'guarded';
      const NEEDS: [string, VideoGrant][] = [
        ['CreateRoom', { roomCreate: true }],
        ['ListRooms', { roomList: true }],
        ['DeleteRoom', { roomCreate: true }],
        ['ListParticipants', { roomAdmin: true, room }],
        ['GetParticipant', { roomAdmin: true, room }],
        ['RemoveParticipant', { roomAdmin: true, room }],
        ['MutePublishedTrack', { roomAdmin: true, room }],
        ['UpdateParticipant', { roomAdmin: true, room }],
        ['UpdateRoomMetadata', { roomAdmin: true, room }],
      ];
      const EVERY: VideoGrant = {
        roomCreate: true,
        roomList: true,
        roomAdmin: true,
        roomJoin: true,
        roomRecord: true,
        room,
      };
      const REFUSED = {
        status: 401,
        type: 'application/json',
        body: { code: 'unauthenticated', msg: 'permissions denied' },
      };

      it.each(NEEDS)(
        '%s is refused without its grant, whatever others there are',
        async (method, needed) => {
          const body = { room, name: room, identity: 'nobody' };
          const others: VideoGrant = Object.fromEntries(
            Object.entries(EVERY).filter(([grant]) => grant === 'room' || !(grant in needed)),
          );
          expect(await post(method, body, await withGrant(others))).toEqual(REFUSED);
          expect(await post(method, body, await withGrant(undefined))).toEqual(REFUSED);
          expect(await post(method, body)).toEqual(REFUSED);
        },
      );

      it.each(NEEDS.filter(([, { roomAdmin }]) => roomAdmin))(
        '%s is refused to the admin of another room',
        async (method) => {
          const elsewhere = await withGrant({ roomAdmin: true, room: 'another' });
          expect(await post(method, { room, identity: 'nobody' }, elsewhere)).toEqual(REFUSED);
        },
      );
    });

    describe('requests', () => {
      it.each([
        ['no JSON', '{'],
        ['nothing', ''],
        ['an array', '[]'],
        ['a wrong type', { name: 3 }],
      ])('answers 400 malformed to %s', async (_what, body) => {
        expect(await post('CreateRoom', body, await withGrant({ roomCreate: true }))).toEqual({
          status: 400,
          type: 'application/json',
          body: { code: 'malformed', msg: 'the json request could not be decoded' },
        });
      });

      it('ignores unknown fields and takes snake_case', async () => {
        const name = newName();
        const body = { name, max_participants: 3, nonsense: 1 };
        const created = await post('CreateRoom', body, await withGrant({ roomCreate: true }));
        expect(created).toMatchObject({ status: 200, body: { name, max_participants: 3 } });
      });

      it('answers 404 bad_route to an unknown method and a wrong content type', async () => {
        const create = await withGrant({ roomCreate: true });
        const unknown = await post('OpenRoom', {}, create);
        expect(unknown).toMatchObject({ status: 404, body: { code: 'bad_route' } });
        const text = await post('CreateRoom', {}, { ...create, 'content-type': 'text/plain' });
        expect(text).toMatchObject({ status: 404, body: { code: 'bad_route' } });
        const listed = await withGrant({ roomList: true });
        const charset = { ...listed, 'content-type': 'application/json;charset=UTF-8' };
        expect((await post('ListRooms', {}, charset)).status).toBe(200);
      });
    });

    describe('rooms', () => {
      it('creates one with what was asked for', async () => {
        const name = newName();
        const before = Date.now();
        const asked = {
          name,
          emptyTimeout: 111,
          departureTimeout: 222,
          maxParticipants: 33,
          metadata: '{"club":"Überall"}',
        };
        const room = await world.rooms.createRoom(asked);
        expect(room).toMatchObject({ ...asked, numParticipants: 0 });
        expect(room.sid).toMatch(/^RM_[A-Za-z0-9]{12}$/);
        expect(room.turnPassword).not.toBe('');
        expect(Number(room.creationTimeMs)).toBeGreaterThanOrEqual(before - 1);
        expect(Number(room.creationTimeMs)).toBeLessThanOrEqual(Date.now() + 1);
        expect(Number(room.creationTime)).toBe(Math.floor(Number(room.creationTimeMs) / 1000));
      });

      it('answers a second creation with the living room, unchanged', async () => {
        const name = newName();
        const first = await world.rooms.createRoom({ name, maxParticipants: 3, metadata: 'first' });
        const second = await world.rooms.createRoom({
          name,
          emptyTimeout: 1,
          departureTimeout: 1,
          maxParticipants: 9,
          metadata: 'second',
        });
        expect(second).toEqual(first);
        expect(await listed(name)).toEqual(first);
      });

      it('takes 0 as its own default', async () => {
        const room = await world.rooms.createRoom({ name: newName(), emptyTimeout: 0 });
        expect(room).toMatchObject({ emptyTimeout: 600, departureTimeout: 60, maxParticipants: 0 });
      });

      it('lists the rooms named, or all', async () => {
        const [one, two] = [await newRoom(), await newRoom()];
        const names = (rooms: Room[]) => rooms.map(({ name }) => name).sort();
        expect(names(await world.rooms.listRooms([two, 'none']))).toEqual([two]);
        expect(names(await world.rooms.listRooms([one, two]))).toEqual([one, two].sort());
        expect(names(await world.rooms.listRooms())).toEqual(expect.arrayContaining([one, two]));
        expect(await world.rooms.listRooms(['none'])).toEqual([]);
      });

      it('deletes one, and does not list it any more', async () => {
        const name = newName();
        const first = await world.rooms.createRoom({ name });
        await world.rooms.deleteRoom(name);
        expect(await world.rooms.listRooms([name])).toEqual([]);
        await expectError(world.rooms.deleteRoom(name), 404, 'not_found');
        const second = await world.rooms.createRoom({ name });
        expect(second.sid).not.toBe(first.sid);
      });

      it('answers 404 not_found to the deletion of one that never was', async () => {
        expect(
          await post('DeleteRoom', { room: 'none' }, await withGrant({ roomCreate: true })),
        ).toEqual({
          status: 404,
          type: 'application/json',
          body: { code: 'not_found', msg: 'twirp error unknown: requested room does not exist' },
        });
      });

      it('updates the metadata of one that is there', async () => {
        const name = newName();
        await expectError(world.rooms.updateRoomMetadata(name, 'new'), 404, 'not_found');
        await world.rooms.createRoom({ name, metadata: 'old' });
        expect((await world.rooms.updateRoomMetadata(name, 'new')).metadata).toBe('new');
        await until(async () => (await listed(name))?.metadata === 'new', 'the new metadata');
      });

      it('refuses names over 256 bytes and metadata over 512 KiB', async () => {
        await expectError(
          world.rooms.createRoom({ name: 'é'.repeat(129) }),
          400,
          'invalid_argument',
          'twirp error unknown: room name length exceeds limits: max length 256',
        );
        await expectError(
          world.rooms.createRoom({ name: newName(), metadata: 'x'.repeat(512 * 1024 + 1) }),
          400,
          'invalid_argument',
          'metadata size exceeds limits 524288',
        );
      });
    });

    describe('people who are not there', () => {
      it('lists none in a missing room, without an error', async () => {
        expect(await world.rooms.listParticipants('none')).toEqual([]);
      });

      it.each(['with a room', 'without a room'])(
        'answers 404 not_found about one, %s',
        async (which) => {
          const name = newName();
          if (which === 'with a room') await world.rooms.createRoom({ name });
          const message = 'twirp error unknown: participant does not exist';
          const expectMissing = (call: Promise<unknown>) =>
            expectError(call, 404, 'not_found', message);
          await expectMissing(world.rooms.getParticipant(name, 'nobody'));
          await expectMissing(world.rooms.removeParticipant(name, 'nobody'));
          await expectMissing(world.rooms.updateParticipant(name, 'nobody', { name: 'N' }));
        },
      );
    });

    describe('the door', () => {
      const validate = async (token: string | undefined, path = '/rtc/validate') => {
        const url = new URL(path, world.url);
        if (token !== undefined) url.searchParams.set('access_token', token);
        const response = await fetch(url);
        return { status: response.status, body: await response.text() };
      };

      it('lets a right token into a room that is there', async () => {
        const name = await newRoom();
        expect(await validate(await joinToken(name))).toEqual({ status: 200, body: 'success' });
      });

      it.each<[string, () => Promise<string | undefined>, number, string | RegExp]>([
        ['no token', async () => undefined, 401, 'no permissions to access the room'],
        ['no JWT', async () => 'abc', 401, 'invalid authorization token'],
        [
          'a wrong secret',
          () => joinToken('none', { secret: OTHER_SECRET }),
          401,
          /signature is invalid$/,
        ],
        [
          'an expired token',
          async () =>
            jwt({ iss: API_KEY, sub: 'a', exp: nowSeconds() - 70, video: { roomJoin: true } }),
          401,
          /token is expired$/,
        ],
        ['no grants', () => tokenWith(undefined), 401, 'no permissions to access the room'],
        ['no roomJoin', () => tokenWith({ room: 'none' }), 401, 'permissions denied'],
        [
          'no identity',
          async () => jwt({ iss: API_KEY, video: { roomJoin: true, room: 'none' } }),
          400,
          'identity cannot be empty',
        ],
        [
          'an identity over 256 bytes',
          () => joinToken('none', { identity: TOO_LONG }),
          400,
          'participant identity length exceeds limits: max length 256',
        ],
        ['no room name', () => tokenWith({ roomJoin: true }), 400, 'no room name'],
        [
          'a room name over 256 bytes',
          () => joinToken(TOO_LONG),
          400,
          'room name length exceeds limits: max length 256',
        ],
        ['a room that is not there', () => joinToken('none'), 404, 'requested room does not exist'],
      ])('stays shut for %s', async (_what, token, status, body) => {
        const answer = await validate(await token());
        expect(answer).toEqual({
          status,
          body: typeof body === 'string' ? body : expect.stringMatching(body),
        });
      });

      it('asks for a join request on its newer path', async () => {
        expect(await validate(await joinToken('none'), '/rtc/v1/validate')).toEqual({
          status: 400,
          body: 'join_request is required',
        });
      });

      it('opens for roomCreate although no room is there, which is why no browser gets it', async () => {
        const token = await tokenWith({ roomJoin: true, roomCreate: true, room: newName() });
        expect((await validate(token)).status).toBe(200);
      });

      it('is shut again for an old token once the room was deleted', async () => {
        const name = await newRoom();
        const token = await joinToken(name);
        const alice = await world.join(token);
        await world.rooms.deleteRoom(name);
        expect(await alice.outBecause()).toBe('ROOM_DELETED');
        await expectRefused(world.join(token), 404);
        expect(await world.rooms.listRooms([name])).toEqual([]);
      });
    });

    describe('people', () => {
      it('are listed at once, with what their token says', async () => {
        const name = await newRoom();
        const before = Date.now();
        const alice = await world.join(
          await tokenWith(
            { roomJoin: true, room: name, canPublish: false, canUpdateOwnMetadata: true },
            { identity: 'alice', name: 'Älice', metadata: 'm', attributes: { seat: '1' } },
          ),
        );
        const [person, ...others] = await world.rooms.listParticipants(name);
        expect(others).toEqual([]);
        expect(person).toMatchObject({
          sid: alice.sid,
          identity: 'alice',
          name: 'Älice',
          metadata: 'm',
          attributes: { seat: '1' },
          kind: ParticipantInfo_Kind.STANDARD,
          tracks: [],
          permission: {
            canPublish: false,
            canSubscribe: true,
            canPublishData: false,
            canUpdateMetadata: true,
            hidden: false,
          },
        });
        // They are connected when their media is: a moment later on a server.
        const { JOINED, ACTIVE } = ParticipantInfo_State;
        expect([JOINED, ACTIVE]).toContain(person?.state);
        expect(person?.sid).toMatch(/^PA_[A-Za-z0-9]{12}$/);
        expect(Number(person?.joinedAtMs)).toBeGreaterThanOrEqual(before - 1);
        const again = await world.rooms.getParticipant(name, 'alice');
        const { state, version } = person ?? {};
        expect({ ...again, state, version }).toEqual({ ...person });
      });

      it('are out when removed, and in again with the same token', async () => {
        const name = await newRoom();
        const token = await joinToken(name, { identity: 'bob' });
        const bob = await world.join(token);
        await world.rooms.removeParticipant(name, 'bob');
        expect(await world.rooms.listParticipants(name)).toEqual([]);
        expect(await bob.outBecause()).toBe('PARTICIPANT_REMOVED');
        await expectError(world.rooms.removeParticipant(name, 'bob'), 404, 'not_found');
        const again = await world.join(token);
        expect(again.sid).not.toBe(bob.sid);
      });

      it('are there once: the second session of an identity ends the first', async () => {
        const name = await newRoom();
        const token = await joinToken(name, { identity: 'carol' });
        const first = await world.join(token);
        const second = await world.join(token);
        expect(await first.outBecause()).toBe('DUPLICATE_IDENTITY');
        const sids = (await world.rooms.listParticipants(name)).map(({ sid }) => sid);
        expect(sids).toEqual([second.sid]);
      });

      it('find a full room shut with a bare 500, agents and their like apart', async () => {
        const name = await newRoom({ maxParticipants: 1 });
        await enter(name, 'agent', { kind: 'agent' });
        await world.join(
          await tokenWith({ roomJoin: true, room: name, recorder: true }, { identity: 'recorder' }),
        );
        await enter(name, 'first');
        await expectRefused(enter(name, 'second'), 500);
        const kinds = (await world.rooms.listParticipants(name)).map(
          ({ identity, kind }) => `${identity} ${ParticipantInfo_Kind[kind]}`,
        );
        expect(kinds.sort()).toEqual(['agent AGENT', 'first STANDARD', 'recorder STANDARD']);
      });

      it('in one room are not in another', async () => {
        const [one, two] = [await newRoom(), await newRoom()];
        await enter(one, 'dave');
        expect(await world.rooms.listParticipants(two)).toEqual([]);
        await world.rooms.deleteRoom(two);
        expect(await world.rooms.listParticipants(one)).toHaveLength(1);
      });

      it('can be renamed and given other permissions, all of them at once', async () => {
        const name = await newRoom();
        await world.join(
          await joinToken(name, { identity: 'eve', name: 'Eve', attributes: { a: '1', b: '2' } }),
        );
        const updated = await world.rooms.updateParticipant(name, 'eve', {
          name: 'Eva',
          attributes: { a: '', c: '3' },
          permission: { canPublish: true },
        });
        expect(updated).toMatchObject({
          name: 'Eva',
          attributes: { b: '2', c: '3' },
          // What the request leaves out is taken away.
          permission: { canPublish: true, canSubscribe: false, canPublishData: false },
        });
        await expectError(
          world.rooms.updateParticipant(name, 'eve', { name: TOO_LONG }),
          400,
          'invalid_argument',
          'name length exceeds limits 256',
        );
      });

      it('can be muted but not unmuted; a track that is not there is no error', async () => {
        const name = await newRoom();
        const { trackSid } = await world.joinWithMicrophone(
          await joinToken(name, { identity: 'frank' }),
        );
        const muted = await eventually(async () => {
          const track = await world.rooms.mutePublishedTrack(name, 'frank', trackSid, true);
          return track?.muted ? track : undefined;
        }, 'not muted');
        expect(muted.sid).toBe(trackSid);
        expect(
          await world.rooms.mutePublishedTrack(name, 'frank', 'TR_none', true),
        ).toBeUndefined();
        await expectError(
          world.rooms.mutePublishedTrack(name, 'frank', trackSid, false),
          412,
          'failed_precondition',
          'twirp error unknown: remote unmute not enabled',
        );
      });
    });

    describe('webhooks', () => {
      it('describe a meeting from its beginning to its end', async () => {
        const name = newName();
        const room = await world.rooms.createRoom({ name, metadata: 'm', maxParticipants: 5 });
        const beforeSeconds = nowSeconds();
        const aliceToken = await joinToken(name, { identity: 'alice', name: 'Alice' });
        const first = await world.join(aliceToken);
        await world.received.events(name, 2);
        const bob = await enter(name, 'bob');
        await world.received.events(name, 3);
        const second = await world.join(aliceToken);
        await world.received.events(name, 5);
        await bob.leave();
        await world.received.events(name, 6);
        await world.rooms.deleteRoom(name);

        const events = await world.received.events(name, 8);
        const seen = events.map(({ event, participant }) => ({
          event,
          sid: participant?.sid,
          identity: participant?.identity,
          state: participant && ParticipantInfo_State[participant.state],
          reason: participant?.disconnectReason,
        }));
        const alice = { identity: 'alice', state: 'ACTIVE', reason: 0 };
        const aliceOut = { ...alice, state: 'DISCONNECTED' };
        // Without a participant; `toEqual` takes what is undefined for absent.
        expect(seen).toEqual([
          { event: 'room_started' },
          { event: 'participant_joined', ...alice, sid: first.sid },
          { event: 'participant_joined', ...alice, identity: 'bob', sid: bob.sid },
          // DUPLICATE_IDENTITY
          { event: 'participant_left', ...aliceOut, sid: first.sid, reason: 2 },
          { event: 'participant_joined', ...alice, sid: second.sid },
          // CLIENT_INITIATED
          { event: 'participant_left', ...aliceOut, identity: 'bob', sid: bob.sid, reason: 1 },
          // ROOM_DELETED
          { event: 'participant_left', ...aliceOut, sid: second.sid, reason: 5 },
          { event: 'room_finished' },
        ]);
        for (const event of events) {
          expect(event.room).toMatchObject({
            sid: room.sid,
            name,
            metadata: 'm',
            maxParticipants: 5,
            creationTimeMs: room.creationTimeMs,
          });
          expect(event.id).toMatch(/^EV_[A-Za-z0-9]{12}$/);
          expect(Number(event.createdAt)).toBeGreaterThanOrEqual(beforeSeconds - 1);
          expect(Number(event.createdAt)).toBeLessThanOrEqual(nowSeconds() + 1);
          expect(event.participant?.name).toBe(
            event.participant?.identity === 'alice' ? 'Alice' : event.participant && '',
          );
        }
        expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
      });

      it('are of the types that the service follows: none is about a track', async () => {
        const name = await newRoom();
        const person = await world.joinWithMicrophone(await joinToken(name, { identity: 'alice' }));
        await person.leave();
        await world.received.events(name, 3);
        await world.rooms.deleteRoom(name);
        const events = await world.received.events(name, 4);
        expect(events.map(({ event }) => event)).toEqual([
          'room_started',
          'participant_joined',
          'participant_left',
          'room_finished',
        ]);
      });
    });

    describe.concurrent('what takes time', () => {
      it('a room without a join closes after its emptyTimeout', async () => {
        const name = await newRoom({ emptyTimeout: 1 });
        await isClosed(name);
        const events = await world.received.events(name, 2);
        expect(events.map(({ event }) => event)).toEqual(['room_started', 'room_finished']);
      });

      it('a room that everybody left closes after its departureTimeout', async () => {
        const name = await newRoom({ emptyTimeout: 100, departureTimeout: 1 });
        const alice = await enter(name);
        await alice.leave();
        await isClosed(name);
      });

      it('muting an absent participant ends in 503 unavailable', async () => {
        await expectError(
          world.rooms.mutePublishedTrack('none', 'nobody', 'TR_none', true),
          503,
          'unavailable',
          'twirp error unknown: no response from servers',
        );
      });

      it('people are counted late in a room, whether listed or created again', async () => {
        const name = await newRoom();
        await enter(name);
        expect(await world.rooms.listParticipants(name)).toHaveLength(1);
        expect((await listed(name))?.numParticipants).toBe(0);
        expect((await world.rooms.createRoom({ name })).numParticipants).toBe(0);
        await counts(name, 1, 10_000);
        expect((await world.rooms.createRoom({ name })).numParticipants).toBe(1);
      });

      it('people are counted at once in a room where nothing changed for 5 s', async () => {
        const name = await newRoom();
        await delay(5_200);
        await enter(name, 'first');
        await counts(name, 1, 1_000);
        await enter(name, 'second');
        expect((await listed(name))?.numParticipants).toBe(1);
      });
    });

    describe('with api.enable_psrpc_for_get_list_participants', () => {
      let byRpc: World;
      beforeAll(async () => {
        byRpc = await startWorld(kind, { participantsByRpc: true });
      }, 20_000);
      afterAll(() => byRpc?.close(), 20_000);

      it('lists the participants of a room', async () => {
        const name = newName();
        await byRpc.rooms.createRoom({ name });
        expect(await byRpc.rooms.listParticipants(name)).toEqual([]);
        const alice = await byRpc.join(await joinToken(name));
        const [listed] = await byRpc.rooms.listParticipants(name);
        expect(listed?.sid).toBe(alice.sid);
      });

      it('answers 503 unavailable about a room that does not exist', async () => {
        const name = newName();
        const unavailable = 'twirp error unknown: no response from servers';
        await expectError(byRpc.rooms.listParticipants(name), 503, 'unavailable', unavailable);
        await byRpc.rooms.createRoom({ name });
        await byRpc.rooms.deleteRoom(name);
        await expectError(byRpc.rooms.listParticipants(name), 503, 'unavailable', unavailable);
      });
    });

    describe('with auto_create', () => {
      let open: World;
      beforeAll(async () => {
        open = await startWorld(kind, { autoCreate: true });
      }, 20_000);
      afterAll(() => open?.close(), 20_000);

      it('an old token makes the room again, as the token wants it', async () => {
        const name = newName();
        const wishes = {
          emptyTimeout: 77,
          departureTimeout: 88,
          maxParticipants: 9,
          metadata: 'from the token',
        };
        const token = await joinToken(name, { roomConfig: new RoomConfiguration(wishes) });
        await open.join(token);
        const [room] = await open.rooms.listRooms([name]);
        expect(room).toMatchObject(wishes);
        await open.rooms.deleteRoom(name);
        await open.join(token);
        const [again] = await open.rooms.listRooms([name]);
        expect(again?.sid).not.toBe(room?.sid);
      });

      it('the wishes of a token mean nothing to a room that is there', async () => {
        const name = newName();
        await open.rooms.createRoom({ name, maxParticipants: 5 });
        const roomConfig = new RoomConfiguration({ maxParticipants: 9, metadata: 'mine' });
        await open.join(await joinToken(name, { roomConfig }));
        const [room] = await open.rooms.listRooms([name]);
        expect(room).toMatchObject({ maxParticipants: 5, metadata: '' });
      });
    });
  });
});

/** A JWT of any claims, signed with the right secret unless the algorithm says otherwise. */
function jwt(claims: object, alg = 'HS256'): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  const signature = createHmac('sha256', API_SECRET).update(signed).digest('base64url');
  return `${signed}.${alg === 'none' ? '' : signature}`;
}

const bearer = (claims: object, alg?: string) => ({ authorization: `Bearer ${jwt(claims, alg)}` });

async function expectError(
  call: Promise<unknown>,
  status: number,
  code: string,
  message = expect.any(String),
): Promise<void> {
  const error = await errorOf(call);
  expect(error).toBeInstanceOf(ServerError);
  expect(error).toMatchObject({ status, code, message });
}

async function expectRefused(join: Promise<unknown>, status: number): Promise<void> {
  const error = await errorOf(join);
  expect(error).toBeInstanceOf(JoinRefused);
  expect(error).toMatchObject({ status });
}

const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.unreachable('no error'),
    (thrown: unknown) => thrown,
  );
