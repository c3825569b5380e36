/** Meetings that are recorded, on the stand-in: what tests about recordings begin with. */
import { AwsClient } from 'aws4fetch';
import { EgressClient, EgressStatus } from 'livekit-server-sdk';
import { beforeEach } from 'vitest';
import { eventually } from './eventually.ts';
import type { BootOptions } from './process.ts';
import { type TestClub, worldOfFile } from './world.ts';

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

const OPEN = ['starting', 'active', 'stopping'];

export type Recordings = Awaited<ReturnType<typeof stageRecordings>>;
export type Meeting = TestClub & { meetingId: string };
export type Recorded = Meeting & { recordingId: string };

export const keyOf = ({ clubId, meetingId, recordingId }: Recorded): string =>
  `recordings/${clubId}/${meetingId}/${recordingId}.ogg`;

/** A world for all tests of a file, with a recorder that works before each. */
export async function stageRecordings() {
  const world = await worldOfFile({ isRecorded: true });
  const service = await world.boot();
  await world.sendWebhooksTo(service);
  beforeEach(async () => {
    await world.standIn.recorder.set({});
    await world.sendWebhooksTo(service);
  });

  async function clubWithMeeting(settings: object = {}) {
    const club = await world.createClub();
    if (Object.keys(settings).length > 0) {
      await service.manage({
        command: 'put-club',
        clubId: club.clubId,
        name: 'The readers of Joyce',
        moderatorId: club.owner.userId,
        ...settings,
      });
    }
    const { body } = await service.call('start', club.moderator, club);
    const ann = await join(club);
    return { ...club, meetingId: body.meetingId, ann };
  }

  async function join(club: TestClub) {
    const { body } = await service.call('token', club.member, {
      clubId: club.clubId,
      body: { readingClubId: club.clubId, consent: true },
    });
    return world.standIn.joinWithToken(body.token);
  }

  const record = (club: TestClub, by = service) => by.call('recordingStart', club.moderator, club);
  const stop = (club: TestClub, by = service) => by.call('recordingStop', club.moderator, club);
  const list = async (club: Meeting, by = service) =>
    (await by.call('recordings', club.member, club)).body.recordings;
  const claimOf = async ({ clubId }: TestClub) => (await world.recordOf(clubId)).recording;
  const rowsOf = ({ clubId }: TestClub) => world.itemsOf(clubId, 'RECORDING#');

  const isActive = (club: TestClub) =>
    eventually(async () => {
      const claim = await claimOf(club);
      return claim?.state === 'active' ? claim : undefined;
    }, 'not active');
  const isOver = (club: Meeting) =>
    eventually(async () => {
      const all = await list(club);
      const isClosed = all.every(({ state }) => !OPEN.includes(state));
      return isClosed && !(await claimOf(club)) ? all : undefined;
    }, 'still on');

  /** A recorder is in the room, or none is any more. */
  const recorderIn = ({ clubId }: TestClub, isThere = true) =>
    eventually(async () => {
      const rooms = await world.standIn.rooms();
      const recorders = rooms
        .filter(({ name }) => name.startsWith(`reading-club-${clubId}-`))
        .flatMap(({ participants }) => participants.filter(({ kind }) => kind === 'EGRESS'));
      return recorders.length > 0 === isThere || undefined;
    }, 'no recorder came, or it stays');

  const filesOf = async ({ clubId }: TestClub): Promise<string[]> => {
    const { endpoint, bucket, ...keys } = world.s3;
    const client = new AwsClient({ ...keys, service: 's3' });
    const response = await client.fetch(
      `${endpoint}/${bucket}?list-type=2&prefix=recordings/${clubId}/`,
    );
    return [...(await response.text()).matchAll(/<Key>(.*?)<\/Key>/g)].flatMap(
      ([, key]) => key ?? [],
    );
  };

  return {
    world,
    service,
    /** A process whose clock is ahead. */
    later: (ms: number, options: Omit<BootOptions, 'now'> = {}) =>
      world.boot({ ...options, now: () => new Date(Date.now() + ms) }),
    clubWithMeeting,
    join,
    record,
    stop,
    list,
    claimOf,
    rowsOf,
    isActive,
    isOver,
    recorderIn,
    filesOf,

    /** A meeting that is being recorded. */
    async recording(settings: object = {}) {
      const club = await clubWithMeeting(settings);
      const { body } = await record(club);
      await isActive(club);
      return { ...club, recordingId: body.recordingId };
    },

    /** A meeting that was recorded. */
    async recorded(settings: object = {}) {
      const club = await clubWithMeeting(settings);
      const { body } = await record(club);
      await isActive(club);
      await stop(club);
      await isOver(club);
      return { ...club, recordingId: body.recordingId };
    },

    /** Sends a process an event as LiveKit's, with this status of the recording. */
    async sendEgressEvent(club: Recorded, status: string, about: object = {}, by = service) {
      const body = JSON.stringify({
        event: status === 'STARTING' ? 'egress_started' : 'egress_updated',
        egressInfo: {
          egressId: 'EG_reported',
          roomName: `reading-club-${club.clubId}-${club.meetingId}`,
          status: `EGRESS_${status}`,
          fileResults: [{ filename: keyOf(club) }],
          ...about,
        },
      });
      return by.sendWebhook(body);
    },

    /** A file is in the bucket a moment before LiveKit ends its recording: both have happened. */
    hasFiles: (club: Meeting, count: number) =>
      eventually(async () => {
        const { wsUrl, apiKey, apiSecret } = world.livekit;
        const roomName = `reading-club-${club.clubId}-${club.meetingId}`;
        const egresses = await new EgressClient(wsUrl, apiKey, apiSecret).listEgress({ roomName });
        const isUploading = egresses.some(({ status }) => status === EgressStatus.EGRESS_ENDING);
        return (!isUploading && (await filesOf(club)).length === count) || undefined;
      }, 'no file'),
  };
}
