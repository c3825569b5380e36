/**
 * LiveKit's key is replaced while people use the service: several processes that read the parameter,
 * each in its own time, and real LiveKit servers that know both keys. The five minutes for which a
 * process keeps what it read pass in seconds.
 */
import { expect, it } from 'vitest';
import { type LiveKitSettings, settingsFromParameter } from '../../lib/livekit/settings.ts';
import type { Reply } from '../../local/client.ts';
import { until } from '../harness/eventually.ts';
import { serveHttp } from '../harness/http-server.ts';
import { claimsOf } from '../harness/issuer.ts';
import { isMissing } from '../harness/world.ts';
import { KEY, type Service, startGateway, startMedia, startService } from './support/service.ts';

const NEXT_KEY = { apiKey: 'nextkey', apiSecret: 'the-secret-that-takes-the-place-of-it' };

const PROCESSES = 3;
/** So much later the next process reads: they do not change over at the same time. */
const APART_MS = 60_000;
const FRESH_MS = 5 * 60_000;
const CLUBS = 4;
/** So many that each process makes some. */
const CALLS = 40;

it.skipIf(isMissing('server'))(
  'No request fails while LiveKit’s key is replaced, and webhooks count with either',
  { timeout: 90_000 },
  async () => {
    const store = await startParameterStore();
    const gateway = await startGateway();
    const media = await startMedia([gateway], [KEY, NEXT_KEY]);
    const clock = { ms: 0 };
    const readers = Array.from({ length: PROCESSES }, () => store.reader(() => clock.ms));
    const service = await startService(media, gateway, readers);
    const wsUrl = service.wire.urlOf('media').replace('http:', 'ws:');
    store.write({ wsUrl, ...KEY });
    for (const [index, read] of readers.entries()) {
      clock.ms = index * APART_MS;
      await read();
    }
    const load = await startLoad(service);
    try {
      const { ann, bob, clubId } = load.club;
      const before = await ann.join(clubId);
      const unused = (await bob.token(clubId)).body.token;
      expect(claimsOf(unused)).toMatchObject({ iss: KEY.apiKey });
      expect(await load.keysInUse()).toEqual([KEY.apiKey]);

      // Step 2 of docs/operations.md; then the processes change over, one after the other.
      store.write({ wsUrl, ...NEXT_KEY, previous: KEY });
      for (let passed = 0; passed < PROCESSES; passed += 1) {
        clock.ms = FRESH_MS + passed * APART_MS;
        await load.keysInUse();
      }
      expect(load.mixes, 'old and new side by side').toContainEqual([KEY.apiKey, NEXT_KEY.apiKey]);
      const isNew = async () => (await load.keysInUse()).join() === NEXT_KEY.apiKey;
      await until(isNew, 'with the new key alone');

      // Who is in the meeting stays, and who has a token that the old key signed comes in.
      const late = await bob.joinWith(unused);
      expect(await before.sees(bob.userId)).toBe('Bob');
      const both = async () => (await ann.status(clubId)).body.participantCount === 2;
      await until(both, 'counting both participants');

      // Step 4: another server of the project, which signs with the new key.
      const signsWithNext = await startMedia([gateway], [NEXT_KEY, KEY]);
      try {
        await signsWithNext.rooms.createRoom({ name: 'a-room-of-another-application' });
        const signers = () => new Set(gateway.events().map(({ signedWith }) => signedWith));
        await until(() => signers().size === 2, 'receiving webhooks with both signatures');
      } finally {
        await signsWithNext.stop();
      }

      const replies = await load.stop();
      replies.push(await ann.end(clubId));
      expect(await late.outBecause()).toBe('ROOM_DELETED');
      expect(replies.length).toBeGreaterThan(100);
      expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
      expect(gateway.events().filter(({ status }) => status !== 200)).toEqual([]);
      expect(store.reads()).toBe(2 * PROCESSES);
    } finally {
      await load.stop();
      await media.stop();
      await service.stop();
    }
  },
);

/** SSM on loopback, with the one parameter. */
async function startParameterStore() {
  let value = '';
  const server = await serveHttp(() => ({ body: { Parameter: { Value: value } } }));
  const credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'none' });
  return {
    write: (settings: LiveKitSettings) => {
      value = JSON.stringify(settings);
    },
    reads: () => server.requests.length,
    reader: (now: () => number) =>
      settingsFromParameter(
        { name: '/the-parameter', region: 'eu-central-1', endpoint: server.url },
        { credentials, now },
      ),
  };
}

/** A meeting that goes on, and clubs whose meetings start, give out tokens and end without a pause. */
async function startLoad(service: Service) {
  const replies: Pick<Reply<object>, 'status' | 'body'>[] = [];
  const mixes: string[][] = [];
  let goesOn = true;
  const club = await service.createClub();
  replies.push(await club.ann.start(club.clubId));

  const meet = async () => {
    const { ann, bob, clubId } = await service.createClub();
    while (goesOn) {
      replies.push(await ann.start(clubId));
      replies.push(...(await Promise.all([bob.token(clubId), ann.token(clubId)])));
      replies.push(await bob.status(clubId));
      replies.push(await ann.end(clubId));
    }
  };
  const meetings = Array.from({ length: CLUBS }, meet);
  return {
    club,
    mixes,
    /** The names of the keys with which the next calls of LiveKit's API are signed. */
    async keysInUse(): Promise<string[]> {
      service.wire.forget();
      const calls = () => service.wire.seen().filter(({ side }) => side === 'media');
      await until(() => calls().length >= CALLS, 'under load', 30_000);
      const keys = calls().map(({ headers: { authorization = '' } }) =>
        String(claimsOf(authorization.slice('Bearer '.length))['iss']),
      );
      mixes.push([...new Set(keys)].sort());
      return mixes.at(-1) ?? [];
    },
    async stop() {
      goesOn = false;
      await Promise.all(meetings);
      return replies;
    },
  };
}
