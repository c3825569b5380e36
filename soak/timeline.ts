/** A club's part of the history, in lines, for the search for a fault. */
import { parseRoomName } from '../lib/meetings/model.ts';
import type { Entry, History } from './history.ts';
import type { CastClub } from './world.ts';

export function timelineOf(history: History, clubs: CastClub[], clubId: string): string[] {
  const people = clubs.flatMap((club) => Object.values(club.people));
  const nameOf = (userId: string | undefined) =>
    people.find((person) => person.userId === userId)?.part ?? userId ?? '';

  const asked = history
    .all()
    .filter((entry) => entry.clubId === clubId)
    .map((entry) => {
      const about = [entry.userId && nameOf(entry.userId), entry.meetingId, entry.role];
      const took = `${entry.answeredAt - entry.sentAt} ms`;
      const words = [nameOf(entry.by), entry.route, ...about, `(${took}):`, answerOf(entry)];
      return { at: entry.sentAt, line: words.filter(Boolean).join(' ') };
    });
  const commanded = history.commands
    .filter((command) => command.clubId === clubId)
    .map(({ command, userId, sentAt, isDone }) => ({
      at: sentAt,
      line: `office ${command} ${nameOf(userId)}: ${isDone ? 'done' : 'outcome unknown'}`,
    }));
  const joined = history.stays
    .filter((stay) => stay.clubId === clubId)
    .map(({ userId, sid, meetingId, from }) => ({
      at: from,
      line: `${nameOf(userId)} joins as ${sid} ${meetingId}`,
    }));
  const reported = [...history.events.values()]
    .filter(({ roomName }) => parseRoomName(roomName)?.clubId === clubId)
    .map(({ event, roomName, roomSid, sid, userId, reason, at, results }) => {
      const about = [sid && `${sid} (${nameOf(userId)})`, reason, 'in', roomSid, roomName];
      const words = ['LiveKit reports', event, ...about, `at ${at}:`, results.join() || 'lost'];
      return { at: Date.parse(at), line: words.filter(Boolean).join(' ') };
    });
  return [...asked, ...commanded, ...joined, ...reported]
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, line }) => `${new Date(at).toISOString()} ${line}`);
}

function answerOf({ answer, trouble }: Entry): string {
  if (!answer) return `no answer (${trouble})`;
  const { token: _, ...rest }: { token?: string } & object = { ...answer.body };
  return `${answer.status} ${JSON.stringify(rest)}`;
}
