/** Every route as API Gateway calls it: its function, its event, its answer. */
import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { ulid } from 'ulid';
import endEvent from '../../events/end.json' with { type: 'json' };
import meetingEvent from '../../events/meeting.json' with { type: 'json' };
import meetingsEvent from '../../events/meetings.json' with { type: 'json' };
import membersEvent from '../../events/members.json' with { type: 'json' };
import muteEvent from '../../events/mute.json' with { type: 'json' };
import muteAllEvent from '../../events/muteAll.json' with { type: 'json' };
import myClubsEvent from '../../events/myClubs.json' with { type: 'json' };
import participantsEvent from '../../events/participants.json' with { type: 'json' };
import readmitEvent from '../../events/readmit.json' with { type: 'json' };
import recordingConsentEvent from '../../events/recordingConsent.json' with { type: 'json' };
import recordingDeleteEvent from '../../events/recordingDelete.json' with { type: 'json' };
import recordingDownloadEvent from '../../events/recordingDownload.json' with { type: 'json' };
import recordingStartEvent from '../../events/recordingStart.json' with { type: 'json' };
import recordingStopEvent from '../../events/recordingStop.json' with { type: 'json' };
import recordingsEvent from '../../events/recordings.json' with { type: 'json' };
import removeEvent from '../../events/remove.json' with { type: 'json' };
import roleEvent from '../../events/role.json' with { type: 'json' };
import startEvent from '../../events/start.json' with { type: 'json' };
import statusEvent from '../../events/status.json' with { type: 'json' };
import tokenEvent from '../../events/token.json' with { type: 'json' };
import webhookEvent from '../../events/webhook.json' with { type: 'json' };
import * as end from '../../functions/end.ts';
import * as meeting from '../../functions/meeting.ts';
import * as meetings from '../../functions/meetings.ts';
import * as members from '../../functions/members.ts';
import * as mute from '../../functions/mute.ts';
import * as muteAll from '../../functions/mute-all.ts';
import * as myClubs from '../../functions/my-clubs.ts';
import * as participants from '../../functions/participants.ts';
import * as readmit from '../../functions/readmit.ts';
import * as recordingConsent from '../../functions/recording-consent.ts';
import * as recordingDelete from '../../functions/recording-delete.ts';
import * as recordingDownload from '../../functions/recording-download.ts';
import * as recordingStart from '../../functions/recording-start.ts';
import * as recordingStop from '../../functions/recording-stop.ts';
import * as recordings from '../../functions/recordings.ts';
import * as remove from '../../functions/remove.ts';
import * as role from '../../functions/role.ts';
import * as start from '../../functions/start.ts';
import * as status from '../../functions/status.ts';
import * as token from '../../functions/token.ts';
import { createRecordingDeps, createServiceDeps } from '../../lib/deps.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Answers as ClientAnswers } from '../../local/client.ts';
import type { Config } from './config.ts';
import type { Handler } from './lambda.ts';

const EVENTS = {
  token: tokenEvent,
  start: startEvent,
  end: endEvent,
  status: statusEvent,
  meetings: meetingsEvent,
  meeting: meetingEvent,
  myClubs: myClubsEvent,
  members: membersEvent,
  participants: participantsEvent,
  mute: muteEvent,
  muteAll: muteAllEvent,
  remove: removeEvent,
  readmit: readmitEvent,
  role: roleEvent,
  recordingStart: recordingStartEvent,
  recordingStop: recordingStopEvent,
  recordingConsent: recordingConsentEvent,
  recordings: recordingsEvent,
  recordingDownload: recordingDownloadEvent,
  recordingDelete: recordingDeleteEvent,
} as const;

export type Route = keyof typeof EVENTS;
export const ROUTES = Object.keys(EVENTS) as Route[];

/** As API Gateway names them, by the functions' names: `POST /api/reading-clubs/meeting/token`. */
export const routeKeys = {
  webhook: webhookEvent.routeKey,
  ...(Object.fromEntries(
    Object.entries(EVENTS).map(([route, { routeKey }]) => [route, routeKey]),
  ) as Record<Route, string>),
};

/** By the functions' names. */
interface Answers extends Omit<ClientAnswers, 'setRole'> {
  role: ClientAnswers['setRole'];
}

export interface Answer<R extends Route> {
  status: number;
  headers: Record<string, string | number | boolean>;
  /** The route's answer or an error: a test reads the fields of what it expects. */
  body: Answers[R] & { error: string; code: ErrorCode; requestId: string };
  /** The body as it was sent. */
  text: string;
  elapsedMs: number;
}

export interface CallOptions {
  clubId?: string;
  userId?: string;
  meetingId?: string;
  recordingId?: string;
  /** An object goes as JSON, a string as it is. `token` has the club in it, by default. */
  body?: unknown;
  query?: Record<string, string>;
  /** Over the usual ones. */
  headers?: Record<string, string>;
  isBase64Encoded?: boolean;
  requestId?: string;
  /** What is left of the function's time. */
  remainingMs?: number;
}

interface Sample extends Omit<APIGatewayProxyEventV2, 'headers' | 'pathParameters'> {
  headers: Record<string, string>;
  pathParameters?: Record<string, string>;
}

type Deps = ReturnType<typeof createRouteDeps>;

/** What the routes need, for all of them at once. */
export const createRouteDeps = (config: Config) => ({
  ...createServiceDeps(config),
  ...createRecordingDeps(config),
  newMeetingId: (startedAt: Date) => ulid(startedAt.getTime()),
});

/** A handler for each route. */
export const createRoutes = (deps: Deps): Record<Route, Handler> => ({
  token: token.createHandler(deps),
  start: start.createHandler(deps),
  end: end.createHandler(deps),
  status: status.createHandler(deps),
  meetings: meetings.createHandler(deps),
  meeting: meeting.createHandler(deps),
  myClubs: myClubs.createHandler(deps),
  members: members.createHandler(deps),
  participants: participants.createHandler(deps),
  mute: mute.createHandler(deps),
  muteAll: muteAll.createHandler(deps),
  remove: remove.createHandler(deps),
  readmit: readmit.createHandler(deps),
  role: role.createHandler(deps),
  recordingStart: recordingStart.createHandler(deps),
  recordingStop: recordingStop.createHandler(deps),
  recordingConsent: recordingConsent.createHandler(deps),
  recordings: recordings.createHandler(deps),
  recordingDownload: recordingDownload.createHandler(deps),
  recordingDelete: recordingDelete.createHandler(deps),
});

export function eventOf(
  route: Route,
  authorization: string | undefined,
  {
    clubId,
    userId,
    meetingId,
    recordingId,
    body,
    query,
    headers: others,
    isBase64Encoded = false,
    requestId = randomUUID(),
  }: CallOptions,
): APIGatewayProxyEventV2 {
  const { body: _, queryStringParameters: __, ...event }: Sample = EVENTS[route];
  const { authorization: ___, ...headers } = event.headers;
  const given = { clubId, userId, meetingId, recordingId };
  const pathParameters =
    event.pathParameters &&
    Object.fromEntries(
      Object.entries(event.pathParameters).map(([name, usual]) => [
        name,
        given[name as keyof typeof given] ?? usual,
      ]),
    );
  const sent = body ?? (route === 'token' && clubId ? { readingClubId: clubId } : undefined);
  return {
    ...event,
    headers: { ...headers, ...(authorization !== undefined && { authorization }), ...others },
    requestContext: { ...event.requestContext, requestId },
    rawPath: pathOf(event.routeKey, pathParameters),
    ...(pathParameters && { pathParameters }),
    ...(sent !== undefined && { body: typeof sent === 'string' ? sent : JSON.stringify(sent) }),
    isBase64Encoded,
    ...(query && { queryStringParameters: query }),
  };
}

const pathOf = (routeKey: string, parameters: Record<string, string> = {}): string =>
  Object.entries(parameters).reduce(
    (path, [name, value]) => path.replace(`{${name}}`, value),
    routeKey.slice(routeKey.indexOf('/')),
  );
