/** Each meeting that an answer or the record names: what the answers said of it, and when. */
import type { EndedMeeting } from '../lib/meetings/model.ts';
import type { Entry, History } from './history.ts';
import type { Outcome } from './outcome.ts';

export interface Story {
  clubId: string;
  meetingId: string;
  /** At the end of the run; without `endedAt` while it is on. */
  record:
    | (Pick<EndedMeeting, 'meetingId' | 'roomName' | 'startedAt'> & Partial<EndedMeeting>)
    | undefined;
  /** By the record. Never, while it is on. */
  endedAt: number;
  /** When the first answer said that it was on, and that it was over. */
  seenOn: number;
  seenOver: number;
}

/** What one answer said of one meeting. */
export interface Sighting {
  clubId: string;
  entry: Entry;
  story: Story;
  isOver: boolean;
  facts: Partial<EndedMeeting>;
}

export function storiesOf(
  history: History,
  { records }: Outcome,
): { stories: Story[]; sightings: Sighting[] } {
  const stories = new Map<string, Story>();
  const storyOf = (clubId: string, meetingId: string): Story => {
    const story = stories.get(`${clubId} ${meetingId}`) ?? {
      ...{ clubId, meetingId, record: undefined },
      endedAt: Number.POSITIVE_INFINITY,
      seenOn: Number.POSITIVE_INFINITY,
      seenOver: Number.POSITIVE_INFINITY,
    };
    stories.set(`${clubId} ${meetingId}`, story);
    return story;
  };

  for (const [clubId, { club, rows }] of records) {
    const ended = [...rows, ...(club.lastMeeting ? [club.lastMeeting] : [])];
    for (const record of ended) {
      Object.assign(storyOf(clubId, record.meetingId), {
        record,
        endedAt: Date.parse(record.endedAt),
      });
    }
    if (!club.meeting) continue;
    const { meetingId, roomName, startedAt } = club.meeting;
    storyOf(clubId, meetingId).record = { meetingId, roomName, startedAt };
  }

  const sightings = history.all().flatMap((entry) =>
    seenIn(entry).map(({ isOver, meetingId, ...facts }): Sighting => {
      const story = storyOf(entry.clubId, meetingId);
      const when = isOver ? 'seenOver' : 'seenOn';
      story[when] = Math.min(story[when], entry.answeredAt);
      return { clubId: entry.clubId, entry, story, isOver, facts };
    }),
  );
  return { stories: [...stories.values()], sightings };
}

type Seen = { isOver: boolean; meetingId: string } & Partial<EndedMeeting>;

/** What an answer says of meetings. */
function seenIn(entry: Entry): Seen[] {
  if (entry.answer?.status !== 200) return [];
  switch (entry.route) {
    case 'start': {
      const { meetingId, roomName, startedAt } = entry.answer.body;
      return [{ isOver: false, meetingId, roomName, startedAt }];
    }
    case 'token': {
      const { meetingId, roomName } = entry.answer.body;
      return [{ isOver: false, meetingId, roomName }];
    }
    case 'end': {
      const { meetingId, roomName, endedAt, duration } = entry.answer.body;
      return [{ isOver: true, meetingId, roomName, endedAt, durationSeconds: duration }];
    }
    case 'status': {
      const { meetingId, startedAt, lastMeeting } = entry.answer.body;
      return [
        ...(meetingId && startedAt ? [{ isOver: false, meetingId, startedAt }] : []),
        ...(lastMeeting ? [{ isOver: true, ...lastMeeting }] : []),
      ];
    }
    case 'meetings':
      return entry.answer.body.meetings.map(({ recordingCount: _, ...meeting }) => ({
        isOver: true,
        ...meeting,
      }));
    case 'meeting': {
      const { peopleCount: _, guestCount: __, ...meeting } = entry.answer.body.meeting;
      return [{ isOver: true, ...meeting }];
    }
    default:
      return [];
  }
}
