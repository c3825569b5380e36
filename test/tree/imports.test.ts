import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * What each room may import, apart from its own files: other rooms by path, packages by name, `node:`
 * for Node's own modules, `type …` for types only. The longest name that fits a path is its room.
 * Everything points one way: functions → http, deps, meetings → errors.
 */
const MAY_IMPORT: Record<string, string[]> = {
  functions: [
    'lib/config.ts',
    'type lib/contract',
    'lib/deps.ts',
    'lib/errors.ts',
    'lib/http',
    'lib/meetings',
    'lib/observability.ts',
    'type aws-lambda',
    'zod/mini',
  ],

  // The rules know no vendor, no HTTP and no process.
  'lib/meetings': ['lib/errors.ts', 'type lib/contract', 'zod/mini'],
  'lib/errors.ts': [],

  // What routes answer: schemas of the model's values.
  'lib/contract': ['lib/meetings/model.ts', 'zod/mini'],

  // Adapters: each vendor has one importer.
  'lib/livekit': [
    'lib/errors.ts',
    'lib/meetings',
    'jose',
    'type livekit-server-sdk',
    'aws4fetch',
    '@aws-sdk/credential-provider-env',
    'node:',
    'zod/mini',
  ],
  'lib/dynamodb': [
    'lib/errors.ts',
    'lib/meetings',
    '@aws-sdk/client-dynamodb',
    '@aws-sdk/lib-dynamodb',
    'node:',
    'zod/mini',
  ],
  'lib/s3': ['lib/errors.ts', 'lib/meetings', 'aws4fetch', '@aws-sdk/credential-provider-env'],
  'lib/cognito': ['lib/errors.ts', 'lib/meetings', 'aws-jwt-verify', 'node:'],
  'lib/http': [
    'lib/errors.ts',
    'lib/meetings',
    'lib/observability.ts',
    '@middy/core',
    'type aws-lambda',
    'node:',
    'zod/mini',
  ],

  // The composition root and what it needs.
  'lib/config.ts': ['lib/livekit', 'lib/meetings', 'zod/mini'],
  'lib/observability.ts': [
    'lib/errors.ts',
    'lib/meetings',
    '@aws-lambda-powertools/logger',
    '@aws-lambda-powertools/metrics',
    'node:',
  ],
  'lib/deps.ts': [
    'lib/config.ts',
    'lib/errors.ts',
    'lib/observability.ts',
    'lib/cognito',
    'lib/dynamodb',
    'lib/livekit',
    'lib/meetings',
    'lib/s3',
    'ulid',
  ],

  // Neither the document nor a tool is part of a bundle.
  openapi: [
    'functions',
    'lib',
    'package.json',
    'type aws-lambda',
    'node:',
    'yaml',
    'zod',
    'zod-openapi',
  ],
  // The page is a client like any other: the contract's types, and nothing that runs here.
  web: ['type lib/contract', 'type lib/errors.ts', 'packages', 'node:'],
  local: ['type lib/contract', 'lib/errors.ts', 'lib/livekit/url.ts', 'lib/meetings', 'packages'],
  cli: ['lib', 'local', 'packages'],
  bench: ['functions', 'lib', 'local', 'test', 'packages'],
  soak: ['lib', 'local', 'test', 'packages'],
};

interface Import {
  file: string;
  isType: boolean;
  /** A path in the tree, or a package's name. */
  target: string;
}

const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file) && !/\.(test|d)\.tsx?$/.test(file));

/** Biome's format makes a regular expression enough: one statement begins at the start of a line. */
const IMPORTS =
  /^(?:import|export)(?<type> type)?(?: [^;]*?from)? '(?<from>[^']+)'|\bimport\('(?<dynamic>[^']+)'\)/gm;

const importsOf = (file: string): Import[] =>
  [...readFileSync(file, 'utf8').matchAll(IMPORTS)].map(({ groups }) => {
    const named = groups?.['from'] ?? groups?.['dynamic'] ?? '';
    return {
      file,
      isType: groups?.['type'] !== undefined,
      target: named.startsWith('.') ? join(dirname(file), named) : named,
    };
  });

const isIn = (path: string, room: string): boolean =>
  path === room || path.startsWith(room.endsWith(':') ? room : `${room}/`);

const roomOf = (path: string): string | undefined =>
  Object.keys(MAY_IMPORT)
    .filter((room) => isIn(path, room))
    .sort((a, b) => b.length - a.length)[0];

const ROOTS = new Set(sources.map((file) => file.split('/')[0] ?? ''));
const isPackage = (target: string): boolean => !ROOTS.has(target.split('/')[0] ?? '');

function isAllowed({ file, isType, target }: Import): boolean {
  const room = roomOf(file);
  if (room === undefined || isIn(target, room)) return true;
  return (MAY_IMPORT[room] ?? []).some((allowed) => {
    if (allowed === 'packages') return isPackage(target);
    if (allowed.startsWith('type ')) return isType && isIn(target, allowed.slice('type '.length));
    return isIn(target, allowed);
  });
}

describe('imports', () => {
  test.each(Object.keys(MAY_IMPORT))('%s imports only what it may', (room) => {
    const files = sources.filter((file) => roomOf(file) === room);
    expect(files).not.toEqual([]);
    const wrong = files.flatMap(importsOf).filter((one) => !isAllowed(one));
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test('every file of lib and functions has a room', () => {
    const homeless = sources.filter(
      (file) => /^(lib|functions)\//.test(file) && roomOf(file) === undefined,
    );
    expect(homeless).toEqual([]);
  });

  test('a forbidden import is found', () => {
    const rules = { file: 'lib/meetings/start.ts', isType: false };
    expect(isAllowed({ ...rules, target: 'lib/errors.ts' })).toBe(true);
    expect(isAllowed({ ...rules, target: 'lib/dynamodb/table.ts' })).toBe(false);
    expect(isAllowed({ ...rules, target: 'livekit-server-sdk' })).toBe(false);
    expect(isAllowed({ file: 'lib/http/handler.ts', isType: false, target: 'aws-lambda' })).toBe(
      false,
    );
  });
});
