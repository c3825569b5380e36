/** What the logs hold of a run with every route and every failure: no names, no tokens, no secrets. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  answer,
  breakOff,
  cut,
  edit,
  lateAnswer,
  on,
  throttling,
  unprocessed,
} from '../harness/faults.ts';
import { API_SECRET } from '../harness/livekit-events.ts';
import { captureOutput } from '../harness/logs.ts';
import type { BootOptions } from '../harness/process.ts';
import type { CallOptions, Route } from '../harness/routes.ts';
import type { Fault } from '../harness/wire.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const PARTICIPANT_NAME = 'Xénia-Who-Must-Not-Be-Logged';
/** Those that every client calls; `secrets.slow.test.ts` has all. */
const ROUTES = ['token', 'start', 'end', 'status'] as const;
const REMAINING_MS = 1200;
const LIVEKIT_LIMIT_MS = 3000;
const WRONG_SECRET = 'a-secret-that-was-replaced-a-while-ago';
/** From the sample events: if these are in a log, an event or its headers are. */
const OF_AN_EVENT = [
  'Root=1-68b2c1d0-0123456789abcdef01234567',
  '192.0.2.1',
  'requestContext',
  'rawPath',
  'abcdefghij.execute-api',
];
const JWT = /eyJ[\w-]{8,}/;

const world = await worldOfFile();

/** As LiveKit 1.13.5 does: the whole token is in the message. */
const echoToken =
  (status: number, type: string): Fault =>
  (request, pass) =>
    answer(status, `invalid token: ${request.headers.authorization}`, type)(request, pass);

/** With those that hang cut short. */
function troublesOf(club: TestClub): (BootOptions & { remainingMs?: number })[] {
  const media = (fault: Fault) => ({ faults: [on({ side: 'media' }, fault)] });
  const store = (fault: Fault) => ({ faults: [on({ side: 'store' }, fault)] });
  const error = (message: string) => JSON.stringify({ code: 'invalid_argument', msg: message });
  return [
    { refused: ['media'] },
    { refused: ['store'] },
    { refused: ['identity'] },
    { env: { LIVEKIT_API_SECRET: WRONG_SECRET } },
    media(cut),
    media(answer(502, '<html></html>')),
    media(answer(200, '<html></html>')),
    media(answer(400, error(`bad metadata: ${club.name}`), 'application/json')),
    media(echoToken(401, 'text/plain')),
    media(echoToken(401, 'application/json')),
    media(echoToken(400, 'text/plain')),
    media(breakOff(club.name)),
    { ...store(throttling), remainingMs: REMAINING_MS },
    store(breakOff(club.name)),
    store(breakOff(club.displayNames.moderator)),
    store(
      answer(
        400,
        JSON.stringify({ __type: 'ValidationException', message: 'a mistake' }),
        'application/x-amz-json-1.0',
      ),
    ),
    { faults: [unprocessed((sk) => sk !== 'CLUB')], remainingMs: REMAINING_MS },
    { faults: [on('BatchGetItem', edit(brokenRecord))] },
    { ...media(lateAnswer), remainingMs: REMAINING_MS },
  ];
}

/** A club whose item does not fit the schema: an unexpected error. */
function brokenRecord(body: Record<string, unknown>): object {
  return JSON.parse(
    JSON.stringify(body).replaceAll('"createdAt":{"S":"', '"createdAt":{"S":"the '),
  );
}

/** Every route in this trouble, if any; with what must not be in the logs of it. */
async function run(
  troubleOf?: (club: TestClub) => ReturnType<typeof troublesOf>[number] | undefined,
) {
  const club = await world.createClub();
  const { remainingMs, ...trouble } = troubleOf?.(club) ?? {};
  const service = await world.boot({ ...trouble, isCold: true, logsToOutput: true });
  const secrets = new Set([API_SECRET, WRONG_SECRET]);
  const codes = new Set<string>();

  for (const who of ['moderator', 'nameless', 'forged'] as const) {
    const token = who === 'forged' ? 'ey.forged.token' : service.tokenFor(club[who]);
    secrets.add(token);
    const call = (route: Route, options: CallOptions) =>
      service.call(route, `Bearer ${token}`, { ...options, ...(remainingMs && { remainingMs }) });
    const { clubId } = club;
    const body = { readingClubId: clubId, participantName: PARTICIPANT_NAME };
    const answers = [
      await call('start', { clubId }),
      ...(await Promise.all([
        call('token', { clubId }),
        call('token', { body }),
        call('token', { body: `{"participantName":"${PARTICIPANT_NAME}` }),
        call('status', { clubId }),
        ...ROUTES.map((route) => call(route, { clubId: 'no-such-club' })),
      ])),
      await call('end', { clubId }),
    ];
    for (const answer of answers) {
      codes.add(answer.body.code ?? 'none');
      if ('token' in answer.body) secrets.add(answer.body.token);
    }
  }
  for (const { side, headers } of service.wire.seen()) {
    if (side === 'media') secrets.add(String(headers.authorization).replace('Bearer ', ''));
  }
  const people = [club.owner, club.moderator, club.member, club.nameless];
  return {
    names: [club.name, ...Object.values(club.displayNames), ...people.map((p) => p.username)],
    secrets: [...secrets],
    codes: [...codes],
  };
}

async function runAll() {
  const kinds = troublesOf(await world.createClub()).keys();
  const runs = [
    await run(),
    ...(await Promise.all([...kinds].map((kind) => run((club) => troublesOf(club)[kind])))),
  ];
  // What was cut short is not over: it logs when LiveKit's own limit is reached.
  await sleep(LIVEKIT_LIMIT_MS);
  return {
    // Their ends: an error message may quote a piece of what it stumbled over.
    names: [PARTICIPANT_NAME, ...runs.flatMap(({ names }) => names)].map((name) => name.slice(-8)),
    secrets: runs.flatMap(({ secrets }) => secrets),
    codes: [...new Set(runs.flatMap(({ codes }) => codes))].toSorted(),
  };
}

describe('A run with every route and every failure', () => {
  let ran: Awaited<ReturnType<typeof runAll>>;
  let lines: string[];

  beforeAll(async () => {
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'DEBUG');
    const output = captureOutput();
    try {
      ran = await runAll();
    } finally {
      lines = output.stop();
      vi.unstubAllEnvs();
    }
  });
  const lineWith = (...texts: string[]) =>
    lines.find((line) => texts.every((text) => line.includes(text)));

  it('is logged: a line for each route, each kind of failure and each cause', () => {
    expect(ran.codes).toEqual([
      'CLUB_NOT_FOUND',
      'IDENTITY_UNAVAILABLE',
      'INTERNAL',
      'INVALID_REQUEST',
      'MEDIA_UNAVAILABLE',
      'MEETING_NOT_ACTIVE',
      'NOT_A_MODERATOR',
      'STORE_UNAVAILABLE',
      'TIMED_OUT',
      'UNAUTHENTICATED',
      'none',
    ]);
    for (const code of ran.codes.slice(0, -1)) expect(lineWith(`"code":"${code}"`)).toBeDefined();
    for (const route of ['POST /token', 'POST /{clubId}/start', '/end', '/status']) {
      expect(lineWith('"level":"INFO"', route, '"status":200'), route).toBeDefined();
    }
    for (const cause of ['ECONNREFUSED', 'LiveKit answered 502', 'LiveKit answered 401']) {
      expect(lineWith('"level":"WARN"', cause), cause).toBeDefined();
    }
    expect(lineWith('"level":"ERROR"', 'INTERNAL', 'createdAt')).toBeDefined();
  });

  it('puts no token and no secret into any line', () => {
    expect(ran.secrets.length).toBeGreaterThan(50);
    for (const secret of ran.secrets) expect(lineWith(secret)).toBeUndefined();
    expect(lines.find((line) => JWT.test(line))).toBeUndefined();
  });

  it('puts no event into any line', () => {
    for (const text of OF_AN_EVENT) expect(lineWith(text), text).toBeUndefined();
  });

  it('names no club and no person in any line of level INFO and above', () => {
    expect(ran.names.length).toBeGreaterThan(50);
    const shown = lines.filter((line) => !line.includes('"level":"DEBUG"'));
    for (const name of ran.names) {
      expect(shown.find((line) => line.includes(name))).toBeUndefined();
    }
  });
});
