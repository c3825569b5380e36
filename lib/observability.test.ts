import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MediaUnavailable } from './errors.ts';
import type { Log, Meter } from './meetings/ports.ts';
import {
  createLog,
  createMeter,
  requestId,
  stopOn,
  timed,
  waits,
  withRequestId,
} from './observability.ts';

/** Everything that is written to standard output and error while `work` runs, line by line. */
async function linesOf(
  work: (log: Log) => unknown,
  level = 'DEBUG',
): Promise<Record<string, unknown>[]> {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', level);
  const written: string[] = [];
  const keep = (chunk: unknown) => written.push(String(chunk)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(keep),
  );
  onTestFinished(() => void vi.unstubAllEnvs());
  try {
    await work(createLog());
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return written
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

describe('a log line', () => {
  test.each(['info', 'warn', 'error'] as const)(
    'of level %s is one line of JSON',
    async (level) => {
      const lines = await linesOf((log) =>
        log[level]('a message', { clubId: 'novels', status: 200 }),
      );
      expect(lines).toEqual([
        expect.objectContaining({
          level: level.toUpperCase(),
          message: 'a message',
          service: 'reading-club-meetings',
          clubId: 'novels',
          status: 200,
        }),
      ]);
    },
  );

  test('has the id of the request in which it is written', async () => {
    const lines = await linesOf((log) =>
      withRequestId('r-1', async () => {
        log.info('before', {});
        await new Promise((resolve) => setTimeout(resolve, 1));
        log.warn('after', {});
      }),
    );
    expect(lines).toMatchObject([
      { message: 'before', requestId: 'r-1' },
      { message: 'after', requestId: 'r-1' },
    ]);
  });

  test('has the id of its own request, also with concurrent ones', async () => {
    const lines = await linesOf((log) =>
      Promise.all(
        ['r-1', 'r-2', 'r-3'].map((id) =>
          withRequestId(id, async () => {
            await new Promise((resolve) => setTimeout(resolve, 1));
            log.info(`of ${id}`, {});
          }),
        ),
      ),
    );
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line['message']).toBe(`of ${line['requestId']}`);
  });

  test('has no request id outside of a request', async () => {
    const [line] = await linesOf((log) => log.info('at the cold start', {}));
    expect(line).not.toHaveProperty('requestId');
    expect(requestId()).toBeUndefined();
  });

  test('keeps nothing of the line before', async () => {
    const lines = await linesOf((log) => {
      log.warn('first', { clubId: 'novels' }, new Error('failed'));
      log.info('second', { status: 200 });
    });
    expect(lines[1]).not.toHaveProperty('clubId');
    expect(lines[1]).not.toHaveProperty('error');
  });

  test('has an error with its stack and its cause', async () => {
    const cause = new Error('LiveKit answered 503 unavailable');
    const [line] = await linesOf((log) => log.error('failed', {}, new MediaUnavailable({ cause })));
    expect(line?.['error']).toMatchObject({
      name: 'MediaUnavailable',
      message: 'The meeting server cannot be reached right now; please try again',
      stack: expect.stringContaining('observability.test.ts'),
      cause: { message: 'LiveKit answered 503 unavailable' },
    });
  });

  test.each([['a string'], [{ token: 'secret' }], [null], [undefined]])(
    'leaves out what was thrown and is no error: %j',
    async (thrown) => {
      const [line] = await linesOf((log) => log.error('failed', { code: 'INTERNAL' }, thrown));
      expect(line).toMatchObject({ message: 'failed', code: 'INTERNAL' });
      expect(line).not.toHaveProperty('error');
      expect(JSON.stringify(line)).not.toContain('secret');
    },
  );

  test('below the configured level is not written', async () => {
    const lines = await linesOf((log) => {
      log.info('info', {});
      log.warn('warn', {});
      log.error('error', {});
    }, 'WARN');
    expect(lines.map(({ message }) => message)).toEqual(['warn', 'error']);
  });

  test('is written at info without any configuration', async () => {
    expect(await linesOf((log) => log.info('info', {}), '')).toHaveLength(1);
  });
});

describe('a request that was given up', () => {
  test('aborts the call that is running, which is then no outage of what it called', async () => {
    const giveUp = new AbortController();
    await withRequestId('r-1', async () => {
      stopOn(giveUp.signal);
      const call = timed('Media')(async (signal) => {
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        throw new MediaUnavailable();
      });
      giveUp.abort();
      await expect(call).rejects.toMatchObject({ code: 'TIMED_OUT' });
    });
  });

  test('begins no further calls, and other requests go on', async () => {
    const giveUp = new AbortController();
    const made: string[] = [];
    const call = (name: string) => timed('Store')(async () => made.push(name));
    await withRequestId('r-1', async () => {
      stopOn(giveUp.signal);
      await call('before');
      giveUp.abort();
      await expect(call('after')).rejects.toMatchObject({ code: 'TIMED_OUT' });
      await withRequestId('r-2', () => call('of another request'));
    });
    expect(made).toEqual(['before', 'of another request']);
  });
});

describe('the figures', () => {
  const emitted = async (work: (meter: Meter) => unknown): Promise<Record<string, unknown>[]> => {
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
    return linesOf(() => work(createMeter()));
  };

  test('of a request are one line: its count, by route and code, without its id', async () => {
    const lines = await emitted((meter) =>
      withRequestId('r-1', async () => meter.request({ route: 'POST /token', code: 'OK' })),
    );
    expect(JSON.stringify(lines)).not.toContain('r-1');
    expect(lines).toMatchObject([
      {
        route: 'POST /token',
        code: 'OK',
        Requests: 1,
        _aws: { CloudWatchMetrics: [{ Metrics: [{ Name: 'Requests' }] }] },
      },
    ]);
  });

  test('of a run are one line', async () => {
    const lines = await emitted((meter) => meter.run('cleanup', { active: 3, failed: 0 }));
    expect(lines).toEqual([expect.objectContaining({ job: 'cleanup', active: 3, failed: 0 })]);
  });
});

describe('the waits', () => {
  const wait = async (dependency: 'Store' | 'Media', ms: number) =>
    timed(dependency)(() => new Promise((resolve) => setTimeout(resolve, ms)));

  test('of a request are a sum for each dependency', async () => {
    const waited = await withRequestId('r-1', async () => {
      for (const _ of ['once', 'again']) await wait('Store', 20);
      await wait('Media', 10);
      await timed('Media')(() => Promise.reject(new Error('down'))).catch(() => undefined);
      return waits();
    });
    expect(Object.keys(waited)).toEqual(['storeMs', 'mediaMs']);
    expect(waited['storeMs']).toBeGreaterThanOrEqual(38);
    expect(waited['mediaMs']).toBeGreaterThanOrEqual(9);
  });

  test('of a request do not hold what another one waited for', async () => {
    await withRequestId('r-1', () => wait('Store', 1));
    expect(withRequestId('r-2', waits)).toEqual({});
  });
});
