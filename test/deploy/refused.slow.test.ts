/** What osls does with wrong parameters: nothing. parameters.test.ts has what is wrong. */
import { expect, onTestFinished, test } from 'vitest';
import { serveHttp } from '../harness/http-server.ts';
import { NEEDED, refusedCommand } from './package.ts';

test.each<[string, Record<string, string>, string[]]>([
  ['package --stage prod', {}, ['userPoolId is missing', 'webOrigins is missing']],
  ['deploy --stage prod', { ...NEEDED, tokenTtlSeconds: '5' }, ['tokenTtlSeconds must be']],
  ['deploy function -f token --stage prod', {}, ['userPoolId is missing']],
  ['deploy', NEEDED, ['name another --stage']],
])(
  'osls %s with %j makes nothing, on disk or on AWS',
  { timeout: 300_000, concurrent: true },
  async (command, given, sentences) => {
    const aws = await serveHttp(() => ({ status: 503 }), onTestFinished);
    const { printed, files } = await refusedCommand(command.split(' '), given, {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: 'secret',
    });
    for (const sentence of sentences) expect(printed).toContain(sentence);
    expect(files).toEqual([]);
    const actions = aws.requests.map(({ body }) => new URLSearchParams(body).get('Action'));
    // osls asks beforehand whose account this is.
    expect(actions.filter((action) => action !== 'GetCallerIdentity')).toEqual([]);
  },
);
