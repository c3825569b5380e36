/**
 * What can happen in a meeting, generated, and played on a stand-in: so the events are those that
 * LiveKit would send, and its rooms are in the state in which the story ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { WebhookEvent } from '@livekit/protocol';
import fc from 'fast-check';
import type { User } from './issuer.ts';
import { eventTime, type Post } from './livekit-events.ts';
import type { World } from './world.ts';

export type Step =
  | { does: 'join' | 'leave' | 'abort'; who: number }
  | { does: 'agent' | 'crash' | 'stop' | 'time-out' };

const who = fc.integer({ min: 0, max: 3 });

/** Mostly joins and departures; a person who joins a second time evicts their first session. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('join' as const), who }) },
    { weight: 4, arbitrary: fc.record({ does: fc.constant('leave' as const), who }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('abort' as const), who }) },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constantFrom(
          'agent' as const,
          'crash' as const,
          'stop' as const,
          'time-out' as const,
        ),
      }),
    },
  ),
  { minLength: 1, maxLength: 12 },
);

export interface Sent extends Post {
  id: string;
  event: string;
  roomSid: string;
  participantSid: string;
}

export interface Stay {
  sid: string;
  userId: string;
  joinedAt: string;
  /** The second that LiveKit's event states; undefined when LiveKit could not send one. */
  leftAt: string | undefined;
}

/** The state at the end, as far as LiveKit could report it. */
export interface Truth {
  /** The newest room that there ever was. */
  room: { sid: string; isFinished: boolean } | undefined;
  presentSids: string[];
  /** A person joined the newest room, and it has not finished. */
  wasEntered: boolean;
  stays: Stay[];
}

/**
 * Plays the steps in the meeting's room, which is made whenever a step needs it.
 * @returns what LiveKit sent about it, in its order
 */
export async function play(
  { standIn, takeWebhooks, openRoom }: Pick<World, 'standIn' | 'takeWebhooks' | 'openRoom'>,
  roomName: string,
  people: User[],
  story: Step[],
): Promise<Sent[]> {
  const posts: Post[] = [];
  let isSilent = false;
  await takeWebhooks((post) => {
    if (isSilent) return;
    posts.push(post);
  });
  const inRoom = async () =>
    (await standIn.rooms()).find(({ name }) => name === roomName)?.participants ?? [];
  const sessionOf = async (index: number) =>
    (await inRoom()).find(({ identity }) => identity === people[index]?.userId);
  const exists = async () => (await standIn.rooms()).some(({ name }) => name === roomName);
  const needRoom = async () => {
    if (await exists()) return;
    // Rooms of one name differ by their creation time.
    await delay(3);
    await openRoom(roomName);
  };

  for (const step of story) {
    const identity = 'who' in step ? (people[step.who]?.userId ?? '') : 'agent';
    switch (step.does) {
      case 'join':
        await needRoom();
        await standIn.join(roomName, { identity, name: 'a name of their own' });
        break;
      case 'agent':
        await needRoom();
        await standIn.join(roomName, { identity, kind: 'AGENT' });
        break;
      case 'leave': {
        const session = await sessionOf(step.who);
        if (session) await standIn.leave(roomName, session.sid);
        break;
      }
      case 'abort': {
        await needRoom();
        if (await sessionOf(step.who)) break;
        const { sid } = await standIn.join(roomName, { identity, state: 'JOINED' });
        await standIn.leave(roomName, sid, 'JOIN_FAILURE');
        break;
      }
      case 'time-out':
        // LiveKit's timer closes an empty room.
        if ((await exists()) && (await inRoom()).every(({ kind }) => kind === 'AGENT')) {
          await standIn.finishRoom(roomName);
        }
        break;
      case 'stop': {
        // LiveKit reports every departure, but not the room's end.
        for (const { sid } of await inRoom()) {
          await standIn.leave(roomName, sid, 'SERVER_SHUTDOWN');
        }
        await standIn.webhooks.settled();
        isSilent = true;
        if (await exists()) await standIn.finishRoom(roomName);
        await standIn.webhooks.settled();
        isSilent = false;
        break;
      }
      case 'crash':
        await standIn.webhooks.settled();
        isSilent = true;
        if (await exists()) await standIn.finishRoom(roomName);
        await standIn.webhooks.settled();
        isSilent = false;
        break;
    }
  }
  await standIn.webhooks.settled();
  return posts.map(sentOf);
}

export function sentOf(post: Post): Sent {
  const { id, event, room, participant } = eventOf(post);
  return {
    ...post,
    id,
    event,
    roomSid: room?.sid ?? '',
    participantSid: participant?.sid ?? '',
  };
}

const eventOf = ({ body }: Post) =>
  WebhookEvent.fromJsonString(String(body), { ignoreUnknownFields: true });

/** The state after these events, each applied once, in the order of their sending. */
export function truthOf(sent: Sent[]): Truth {
  const truth: Truth = { room: undefined, presentSids: [], wasEntered: false, stays: [] };
  for (const post of sent) {
    const { event, room, participant, createdAt } = eventOf(post);
    if (!room) continue;
    const at = eventTime(Number(createdAt) * 1000);
    if (participant?.identity === 'agent') continue;
    const sid = participant?.sid ?? '';
    switch (event) {
      case 'room_started':
        Object.assign(truth, {
          room: { sid: room.sid, isFinished: false },
          presentSids: [],
          wasEntered: false,
        });
        break;
      case 'room_finished':
        Object.assign(truth, {
          room: { sid: room.sid, isFinished: true },
          presentSids: [],
          wasEntered: false,
        });
        break;
      case 'participant_joined':
        truth.presentSids.push(sid);
        truth.wasEntered = true;
        truth.stays.push({
          sid,
          userId: participant?.identity ?? '',
          joinedAt: new Date(Number(participant?.joinedAtMs)).toISOString(),
          leftAt: undefined,
        });
        break;
      case 'participant_left': {
        truth.presentSids = truth.presentSids.filter((present) => present !== sid);
        const stay = truth.stays.find((each) => each.sid === sid);
        if (stay) stay.leftAt = at;
        break;
      }
    }
  }
  return truth;
}
