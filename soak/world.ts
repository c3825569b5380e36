/** The development stack's parts, with a wire between them, and the clubs' people in it. */
import type { Command as ClubCommand } from '../lib/meetings/club-commands.ts';
import { type Api, startApi, webhookUrl } from '../local/api.ts';
import { type ApiClient, apiClient } from '../local/client.ts';
import { createClub } from '../local/demo-data.ts';
import { startDatabase } from '../local/dynamodb.ts';
import { invokerOf } from '../local/gateway-plugin.ts';
import { cognitoOn, createUser, logIn, startIdentity } from '../local/identity.ts';
import { startStandIn } from '../local/livekit/stand-in.ts';
import { startS3 } from '../local/s3.ts';
import { freePort, settingsFor } from '../local/stack.ts';
import { noteHttp } from '../test/harness/openapi.ts';
import { startWire } from '../test/harness/wire.ts';
import { PARTS, type Part, type Plan, type Temper } from './generator.ts';
import { retry } from './retry.ts';

const API_KEY = 'devkey';
const API_SECRET = 'a-secret-that-only-this-soak-knows';
const PASSWORD = 'Reading-Club-1';
/** Longer than a run of the cleanup may take. */
const INVOKED_WITHIN_MS = 125_000;

/** Holds every answer against docs/openapi.json. */
const send: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const body = await response.clone().text();
  // The gateway's answer for a function that was cut off.
  if (body === '{"message":"Internal Server Error"}') throw new Error('The function was cut off');
  const headers = Object.fromEntries(response.headers);
  noteHttp(init?.method ?? 'GET', response.url, { status: response.status, headers, body });
  return response;
};

export interface Person extends ApiClient {
  userId: string;
  clubId: string;
  part: Part;
  /** As the club's records have it: the owner has none. */
  displayName: string | undefined;
}

export interface CastClub {
  clubId: string;
  temper: Temper;
  people: Record<Part, Person>;
}

export interface Limits {
  graceSeconds: number;
  maxDurationSeconds: number;
}

export type World = Awaited<ReturnType<typeof startWorld>>;

export async function startWorld(plan: Plan, limits: Limits, onLine?: (line: string) => void) {
  const parts: { stop(): Promise<unknown> }[] = [];
  const begin = async <T extends { stop(): Promise<unknown> }>(
    starting: Promise<T>,
  ): Promise<T> => {
    const part = await starting;
    parts.push(part);
    return part;
  };
  const stop = async () => {
    // In reverse order of their start, so that a part stops before the parts that it calls.
    for (const part of parts.splice(0).reverse()) await part.stop();
  };

  try {
    const [httpPort, lambdaPort, cognitoPort, mediaPort] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const cognito = cognitoOn(cognitoPort);
    const [database, s3] = await Promise.all([
      begin(startDatabase({ port: 0 })),
      begin(startS3()),
      begin(startIdentity({ port: cognitoPort })),
    ]);
    const wire = await startWire({
      store: database.endpoint,
      media: `http://127.0.0.1:${mediaPort}`,
      files: s3.endpoint,
      webhook: new URL(webhookUrl(httpPort)).origin,
    });
    parts.push({ stop: wire.close });
    const standIn = await startStandIn({
      port: mediaPort,
      missingRoom: plan.missingRoom,
      apiKeys: { [API_KEY]: API_SECRET },
      webhook: {
        urls: [new URL(new URL(webhookUrl(httpPort)).pathname, wire.urlOf('webhook')).href],
        apiKey: API_KEY,
      },
    });
    parts.push({ stop: standIn.close });

    const { PATH, HOME, TMPDIR } = process.env;
    const SOAK_CLOCK = JSON.stringify({ beganAt: Date.now(), steps: plan.clockSteps });
    const wsUrl = wire.urlOf('media').replace('http', 'ws');
    const settings = settingsFor(
      { ...database, endpoint: wire.urlOf('store') },
      cognito,
      { kind: 'stand-in', wsUrl, apiKey: API_KEY, apiSecret: API_SECRET },
      { ...s3, endpoint: wire.urlOf('files') },
    );
    const ofCleanup = {
      CLEANUP_GRACE_SECONDS: `${limits.graceSeconds}`,
      MEETING_MAX_DURATION_SECONDS: `${limits.maxDurationSeconds}`,
    };
    const start = () =>
      retry(() =>
        startApi({
          httpPort,
          lambdaPort,
          settings,
          env: { ...{ PATH, HOME, TMPDIR, SOAK_CLOCK }, ...ofCleanup },
          // Many come at once, and a worker for each takes longer to load than the API to come back.
          useInProcess: true,
          preload: new URL('stepping-clock.ts', import.meta.url),
          onLine,
        }),
      );
    let api: Api = await start();
    parts.push({ stop: () => api.stop() });

    const createPerson = async (clubId: string, part: Part): Promise<Person> => {
      const username = `${part}-of-${clubId}`;
      const userId = await createUser(cognito, { username, password: PASSWORD });
      const { accessToken } = await logIn(cognito, username, PASSWORD);
      const displayName = part === 'owner' ? undefined : `The ${part}`;
      return { ...apiClient(api.url, accessToken, send), userId, clubId, part, displayName };
    };
    const createCast = async ({ clubId, temper }: Plan['clubs'][number]): Promise<CastClub> => {
      const people = await Promise.all(PARTS.map((part) => createPerson(clubId, part)));
      const cast = Object.fromEntries(people.map((person) => [person.part, person]));
      const club = { clubId, temper, people: cast as Record<Part, Person> };
      await createClub(database, {
        clubId,
        name: `The ${temper} ones`,
        moderatorId: club.people.owner.userId,
        members: people
          .filter(({ part }) => part !== 'owner')
          .map(({ userId, part, displayName }) => ({
            userId,
            displayName,
            role: part === 'moderator' ? 'moderator' : 'member',
          })),
      });
      return club;
    };
    const clubs = await Promise.all(plan.clubs.map(createCast));

    const invokeNamed = invokerOf(`http://127.0.0.1:${lambdaPort}`);
    const invoke = (name: string, event: object) =>
      invokeNamed(
        `reading-club-meetings-local-${name}`,
        event,
        AbortSignal.timeout(INVOKED_WITHIN_MS),
      );

    return {
      clubs,
      table: database,
      s3,
      wire,
      standIn,
      limits,
      apiKey: API_KEY,
      apiSecret: API_SECRET,
      /** Of the cleanup's function. */
      environment: { ...settings, ...ofCleanup, AWS_REGION: s3.region },
      cleanUp: () => invoke('cleanup', {}),
      command: (command: ClubCommand) => invoke('clubs', command),
      /** As a crash ends it: whatever it was doing is left as it is. It comes back where it was. */
      async killApi(): Promise<void> {
        await api.kill();
        api = await start();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
