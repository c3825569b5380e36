/** Where commands go: the development stack of this checkout, or a deployed function. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { Done, ListedClubs, Refusal, ShownClub } from '../lib/contract/commands.ts';
import { createClubCommandDeps } from '../lib/deps.ts';
import { AppError } from '../lib/errors.ts';
import { STATUS } from '../lib/http/errors.ts';
import { type Command, type CommandResult, runClubCommand } from '../lib/meetings/club-commands.ts';
import type { Log } from '../lib/meetings/ports.ts';
import type { StackDescription } from '../local/stack-file.ts';

/** The function's own 60 s, and a margin. */
const ANSWER_WITHIN_MS = 65_000;
const CONNECT_WITHIN_MS = 5_000;

export interface Target {
  /** Where commands go, in words. */
  name: string;
  /** @throws Refused, Unreachable */
  send(command: Command): Promise<CommandResult>;
  close(): void;
}

/**
 * The club with all its members, page by page.
 * @throws Refused, Unreachable
 */
export async function showClub({ send }: Pick<Target, 'send'>, clubId: string): Promise<ShownClub> {
  const members: ShownClub['members'] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await send({ command: 'show', clubId, cursor });
    if (!('members' in page)) throw new Unreachable('show does not answer with the club');
    members.push(...page.members);
    ({ cursor } = page);
    if (cursor === undefined) return { ...page, members };
  }
}

/**
 * All clubs, page by page, in the order of their ids. `readAt` is when the reading began.
 * @throws Refused, Unreachable
 */
export async function listClubs({ send }: Pick<Target, 'send'>): Promise<ListedClubs> {
  const pages: ListedClubs[] = [];
  let cursor: string | undefined;
  do {
    const page = await send({ command: 'list', cursor });
    if (!('clubs' in page)) throw new Unreachable('list does not answer with clubs');
    pages.push(page);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return {
    readAt: pages[0]?.readAt ?? '',
    clubs: pages.flatMap(({ clubs }) => clubs).sort((a, b) => (a.clubId < b.clubId ? -1 : 1)),
    unfinished: pages.flatMap(({ unfinished }) => unfinished).sort(),
  };
}

/** Understood, and not done: repeating it changes nothing. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** Outcome unknown; safe to retry. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The target that is no deployed one. */
export const STACK_NAME = 'the development stack of this checkout';

/** The function's log is for operators, not for a terminal. */
const SILENCE: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The function's own rules in this process, on the stack's database and LiveKit. */
export function stackTarget({
  dynamodb,
  livekit,
}: Pick<StackDescription, 'dynamodb' | 'livekit'>): Target {
  const { wsUrl, apiKey, apiSecret } = livekit;
  const deps = {
    ...createClubCommandDeps({
      store: dynamodb,
      livekit: { settings: { wsUrl, apiKey, apiSecret } },
    }),
    log: SILENCE,
  };
  return {
    name: STACK_NAME,
    async send(command) {
      try {
        return await runClubCommand(deps, command);
      } catch (error) {
        if (error instanceof AppError && STATUS[error.code] < 500) {
          throw new Refused(error.message, error.code);
        }
        throw new Unreachable(sentenceOf(error), { cause: error });
      }
    },
    close: () => undefined,
  };
}

export interface Deployment {
  stage: string;
  region: string;
  /** By default the profile that AWS's own tools would take. */
  profile?: string;
}

/** As the SDK's clients take it. */
export const accountOf = ({ stage: _, ...account }: Deployment) => account;

/** The name of the stack, and the beginning of its functions' names. */
export const stackNameOf = ({ stage }: Deployment): string => `reading-club-meetings-${stage}`;
export const functionNameOf = (deployment: Deployment): string =>
  `${stackNameOf(deployment)}-clubs`;

const Answer = z.union([Refusal, Done, ShownClub, ListedClubs]);
/** What Lambda makes of an error that the function throws. */
const Thrown = z.object({ errorMessage: z.string() });

/** Invokes the deployed function: IAM decides whether this may be. */
export function deployedTarget(deployment: Deployment): Target {
  const FunctionName = functionNameOf(deployment);
  const lambda = new LambdaClient({
    ...accountOf(deployment),
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      requestTimeout: ANSWER_WITHIN_MS,
      throwOnRequestTimeout: true,
    },
  });

  async function invoke(command: Command): Promise<unknown> {
    const Payload = JSON.stringify(command);
    const { FunctionError, Payload: payload } = await lambda.send(
      new InvokeCommand({ FunctionName, Payload }),
    );
    const answer: unknown = JSON.parse(payload?.transformToString() || 'null');
    if (!FunctionError) return answer;
    const thrown = Thrown.safeParse(answer);
    throw new Error(thrown.success ? thrown.data.errorMessage : FunctionError);
  }

  return {
    name: `${FunctionName} in ${deployment.region}`,
    async send(command) {
      let received: unknown;
      try {
        received = await invoke(command);
      } catch (error) {
        throw new Unreachable(sentenceOf(error), { cause: error });
      }
      const answer = Answer.safeParse(received);
      if (!answer.success) {
        throw new Unreachable('The function answers what this version does not understand');
      }
      if ('error' in answer.data) throw new Refused(answer.data.error, answer.data.code);
      return answer.data;
    },
    close: () => lambda.destroy(),
  };
}

const sentenceOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error);
