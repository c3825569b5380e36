import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseOptions, UsageError } from '../../local/options.ts';

const OPTIONS = { stage: { type: 'string' }, yes: { type: 'boolean' } } as const;
const parse = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  parseOptions('clubs', { args, options: OPTIONS, allowPositionals: true }, env).values;

describe('options after `npm run`', () => {
  it('are parsed', () => {
    expect(parse(['--stage', 'prod', '--yes'])).toEqual({ stage: 'prod', yes: true });
  });

  it('that are unknown are refused in one sentence', () => {
    expect(() => parse(['--stag', 'prod'])).toThrow(new UsageError("Unknown option '--stag'"));
  });

  it.each([
    ['with its value', { npm_config_stage: 'prod' }, '--stage'],
    ['without its value', { npm_config_stage: 'true' }, '--stage'],
    ['that npm has, too', { npm_config_yes: 'true' }, '--yes'],
    ['of deployments, whatever the program is', { npm_config_region: 'eu-west-1' }, '--region'],
  ])('that npm kept %s are refused', (_, env, option) => {
    expect(() => parse([], env)).toThrow(`npm kept ${option} for itself`);
  });

  it('that npm kept are what is named, also where their values are left over', () => {
    const parseNothing = () =>
      parseOptions('dev', { args: ['prod'], options: {} }, { npm_config_stage: 'true' });
    expect(parseNothing).toThrow('npm kept --stage for itself');
  });

  it('count when they are given, even if npm has options of the same name', () => {
    const env = { npm_config_yes: 'true', npm_config_stage: 'dev' };
    expect(parse(['--yes', '--stage=prod'], env)).toEqual({ yes: true, stage: 'prod' });
  });

  it('are not kept where npm has its defaults', () => {
    expect(parse([], { npm_config_yes: '', npm_config_loglevel: 'silent' })).toEqual({});
  });
});

/** With the npm that is there: what it does with options is its own affair, and may change. */
describe.skipIf(spawnSync('npm', ['--version']).status !== 0)('npm run', () => {
  it.each([
    ['clubs', 'show', 'novels', '--stage=prod'],
    ['clubs', 'remove-club', 'novels', '--yes'],
    ['doctor', '--stage', 'prod'],
    ['dev', '--verbose'],
    ['demo', '--region=eu-west-1'],
    ['soak', '--minutes=1'],
    ['bench', '--write'],
  ])('%s %s %s refuses an option that npm keeps, and does nothing', (...args) => {
    const { PATH, HOME } = process.env;
    const { status, stdout, stderr } = spawnSync('npm', ['run', ...args], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { PATH, HOME },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/npm kept --\w+ for itself; write `--` before it: npm run \w+ -- /);
    // What npm itself says of the script.
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(status).toBe(2);
  });
});
