/** Every function of the stage: does it start? Its bundle, its variables and its role decide that. */
import { readFile } from 'node:fs/promises';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { reasonOf } from './reasons.ts';
import type { Finding } from './runner.ts';

/** A new account may run ten functions at once. */
const AT_ONCE = 5;

const Service = z.object({ functions: z.record(z.string(), z.unknown()) });
/** What Lambda makes of an error that a function throws, also while it starts. */
const Thrown = z.object({ errorMessage: z.string() });

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, root), 'utf8');

/** What a function refuses, or does nothing for. */
export async function harmlessEventOf(name: string): Promise<string> {
  if (name === 'clubs') return '{}';
  if (name === 'cleanup') return JSON.stringify({ isProbe: true });
  // The sample of its route, with a token that is none.
  return read(`events/${name}.json`);
}

interface Outcome {
  name: string;
  problem?: string;
  isDenied?: boolean;
}

/** Runs each function with an event that it refuses: only Lambda itself can say that one starts. */
export async function startFunctions(lambda: LambdaClient, stackName: string): Promise<Finding> {
  const { functions } = Service.parse(parse(await read('serverless.yml'), { logLevel: 'silent' }));
  const names = Object.keys(functions);

  const start = async (name: string): Promise<Outcome> => {
    const FunctionName = `${stackName}-${name}`;
    const Payload = await harmlessEventOf(name);
    try {
      const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload }));
      if (!answer.FunctionError) return { name };
      const thrown = Thrown.safeParse(JSON.parse(answer.Payload?.transformToString() || 'null'));
      return { name, problem: thrown.data?.errorMessage ?? answer.FunctionError };
    } catch (error) {
      const isDenied = error instanceof Error && error.name === 'AccessDeniedException';
      return { name, problem: reasonOf(error), isDenied };
    }
  };

  const outcomes: Outcome[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE) {
    outcomes.push(...(await Promise.all(names.slice(at, at + AT_ONCE).map(start))));
  }
  return findingOf(outcomes);
}

function findingOf(outcomes: Outcome[]): Finding {
  const problems = outcomes.filter(({ problem }) => problem !== undefined);
  const failed = problems.filter(({ isDenied }) => !isDenied);
  if (failed.length > 0) {
    return {
      outcome: 'failure',
      sentence: failed.map(({ name, problem }) => `${name} does not start: ${problem}`).join('; '),
      remedy: 'Deploy this version again. The log of the function has the whole error',
    };
  }
  if (problems.length > 0) {
    return {
      outcome: 'warning',
      sentence: `You may not invoke ${problems.map(({ name }) => name).join(', ')}, so it is unknown whether they start`,
      remedy: 'Run it with credentials that have lambda:InvokeFunction: docs/operations.md',
    };
  }
  return { outcome: 'ok', sentence: `All ${outcomes.length} functions start` };
}
