import * as z from 'zod/mini';
import { identity, loadConfig, store } from '../lib/config.ts';
import type { MeetingDetails } from '../lib/contract/answers.ts';
import { createRecordDeps } from '../lib/deps.ts';
import { csv, wantsCsv } from '../lib/http/csv.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { getMeeting, type MeetingDetailsDeps } from '../lib/meetings/history.ts';
import { ClubId, MeetingId } from '../lib/meetings/model.ts';

export const Path = z.object({ clubId: ClubId, meetingId: MeetingId });
export const route = {
  route: 'GET /{clubId}/meetings/{meetingId}',
  failure: 'Failed to get the meeting',
};

export const createHandler = (deps: MeetingDetailsDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request, event) => {
    const details = await getMeeting(deps, request);
    return wantsCsv(event) ? csv(attendanceTable(details)) : ok(details);
  });

/** One row a person, with the names of the fields on top. */
const attendanceTable = ({ attendance }: MeetingDetails): (string | number)[][] => [
  ['displayName', 'userId', 'firstJoinedAt', 'lastLeftAt', 'secondsPresent', 'sessions'],
  ...attendance.map((person) => [
    person.displayName ?? '',
    person.userId,
    person.firstJoinedAt,
    person.lastLeftAt,
    person.secondsPresent,
    person.sessions,
  ]),
];

export const handler = createHandler(createRecordDeps(loadConfig({ store, identity })));
