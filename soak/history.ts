/** Every request and its answer, and what really happened in LiveKit's rooms. */

import type { Answers, Failure, Reply } from '../local/client.ts';
import { MAX_SKEW_MS } from './generator.ts';

/** A request without an answer may go on for so long: a function has 12 s from its start. */
const GOES_ON_MS = 30_000;

export type Route = keyof Answers;

/** What a request was about, besides the club. */
export interface About {
  clubId: string;
  /** The target of the request. */
  userId?: string;
  meetingId?: string;
  role?: 'member' | 'moderator';
  allowRejoin?: boolean;
  recordingId?: string;
}

/** One request and its answer. */
export type Entry<R extends Route = Route> = {
  [Name in R]: About & {
    route: Name;
    by: string;
    sentAt: number;
    /** When it was answered, or given up. */
    answeredAt: number;
    /** Until when it may have changed anything. */
    overAt: number;
    /** Undefined where none came. */
    answer: { status: number; body: Answers[Name] & Failure } | undefined;
    /** Why none came. */
    trouble?: string;
  };
}[R];

/** One command to the function without a route, by the application that owns the clubs. */
export interface Command {
  command: 'put-member' | 'remove-member' | 'show';
  clubId: string;
  userId: string;
  /** When the application made the change; commands are about different moments. */
  occurredAt: string;
  sentAt: number;
  overAt: number;
  isDone: boolean;
}

/** A participant's session in a room, as LiveKit itself knows it. */
interface Stay {
  clubId: string;
  meetingId: string;
  userId: string;
  sid: string;
  /** They joined between these two. */
  from: number;
  to: number;
}

/** One event of LiveKit's, and the answers to its webhooks. */
export interface ReportedEvent {
  event: string;
  roomName: string;
  roomSid: string;
  /** Of the participant that it is about. */
  sid: string | undefined;
  userId: string | undefined;
  /** ISO 8601: the last millisecond of the second that the event names. */
  at: string;
  joinedAt: string | undefined;
  /** Why the participant left. */
  reason: string | undefined;
  /** The API's answer to each delivery. */
  results: string[];
}

export type History = ReturnType<typeof openHistory>;

export function openHistory() {
  const books = new Map<Route, Entry[]>();
  const of = <R extends Route>(route: R): Entry<R>[] => {
    const book = books.get(route) ?? [];
    books.set(route, book);
    return book as Entry<R>[];
  };
  const commands: Command[] = [];
  const stays: Stay[] = [];
  const events = new Map<string, ReportedEvent>();
  /** The times at which every recorder was killed. */
  const deaths: number[] = [];
  return {
    commands,
    deaths,
    stays,
    events,

    /**
     * Sends a request and writes down what came of it. The functions' clock steps, so what they date may be
     * before the request, or after its answer.
     */
    async ask<R extends Route>(
      by: string,
      route: R,
      about: About,
      request: () => Promise<Reply<Answers[R]>>,
    ): Promise<(Answers[R] & Failure) | undefined> {
      const sentAt = Date.now() - MAX_SKEW_MS;
      const entry: Entry<R> = {
        ...{ by, route, ...about, sentAt, answeredAt: sentAt, overAt: Number.POSITIVE_INFINITY },
        answer: undefined,
      };
      of(route).push(entry);
      try {
        const { status, body } = await request();
        entry.answer = { status, body };
      } catch (error) {
        entry.trouble = String(error);
      }
      entry.answeredAt = Date.now() + MAX_SKEW_MS;
      entry.overAt = entry.answeredAt + (entry.answer ? 0 : GOES_ON_MS);
      return entry.answer?.status === 200 ? entry.answer.body : undefined;
    },

    all: (): Entry[] => [...books.values()].flat(),
    of,
  };
}

/** Those that were answered with success. */
export const granted = <R extends Route>(
  entries: Entry<R>[],
): (Entry<R> & { body: Answers[R] })[] =>
  entries.flatMap((entry) =>
    entry.answer?.status === 200 ? [{ ...entry, body: entry.answer.body }] : [],
  );
