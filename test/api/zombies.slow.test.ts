/** An ended room that an old token makes again, over the one way that `auto_create: false` leaves open. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../harness/eventually.ts';
import { isMissing } from '../harness/world.ts';
import {
  type Gateway,
  type Media,
  startGateway,
  startMedia,
  startService,
} from './support/service.ts';

/** A browser's offer of one audio track, cut down to what LiveKit insists on. */
const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n');

describe.skipIf(isMissing('server'))('On a real server, a room that ended', () => {
  const world = async (tellsOfEvents: boolean) => {
    const gateway = await startGateway();
    const media = await startMedia(tellsOfEvents ? [gateway] : []);
    const service = await startService(media, gateway);
    onTestFinished(async () => {
      await media.stop();
      await service.stop();
    });
    return { gateway, media, service };
  };

  /** A meeting that was held and ended, and the token of a participant. */
  const endedMeeting = async ({ service }: Awaited<ReturnType<typeof world>>) => {
    const { clubId, ann, bob } = await service.createClub();
    await ann.start(clubId);
    const { body: old } = await bob.token(clubId);
    const inRoom = await bob.join(clubId);
    await ann.end(clubId);
    expect(await inRoom.outBecause()).toBe('ROOM_DELETED');
    return { clubId, ann, old };
  };

  const makeAgain = async ({ httpUrl }: Media, token: string) => {
    const { status } = await fetch(`${httpUrl}/whip/v1`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' },
      body: OFFER,
    });
    expect(status, 'LiveKit takes the offer').toBe(201);
  };

  const exists = async ({ rooms }: Media, roomName: string) =>
    (await rooms.listRooms([roomName])).length > 0;

  const starts = (gateway: Gateway, name: string) =>
    gateway.events().filter(({ type, roomName }) => type === 'room_started' && roomName === name);

  it('and is made again with an old token is gone within a second, by webhook', async () => {
    const { gateway, media, service } = await world(true);
    const { old, ann, clubId } = await endedMeeting({ gateway, media, service });
    await makeAgain(media, old.token);
    const gone = async () =>
      starts(gateway, old.roomName).length === 2 && !(await exists(media, old.roomName));
    expect(await until(gone, 'gone')).toBeLessThan(1_000);
    expect((await ann.status(clubId)).body).toMatchObject({ state: 'idle', participantCount: 0 });
    const { body } = await ann.meeting(clubId, old.meetingId);
    expect(body.meeting.peopleCount, 'only those who were there before the end').toBe(1);
  });

  it('and is made again while webhooks are off stays until the next cleanup', async () => {
    const { gateway, media, service } = await world(false);
    const { old } = await endedMeeting({ gateway, media, service });
    await makeAgain(media, old.token);
    await until(() => exists(media, old.roomName), 'made again');
    expect(await service.cleanUp()).toMatchObject({ zombiesDeleted: 1, failed: 0 });
    expect(await exists(media, old.roomName)).toBe(false);
    expect(gateway.events()).toEqual([]);
  });
});
