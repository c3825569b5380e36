import './local/node-version.js';
import { generateKeyPairSync } from 'node:crypto';
import { defineConfig } from 'vitest/config';
import { forgetProxies } from './local/proxies.ts';

// No test asks anything but loopback.
forgetProxies();

/**
 * What a function file needs to be imported: nothing is behind these addresses. Tests pass their own
 * dependencies to `createHandler`.
 */
const env = {
  POWERTOOLS_METRICS_DISABLED: 'true',
  POWERTOOLS_SERVICE_NAME: 'reading-club-meetings',
  TABLE_NAME: 'no-table',
  DYNAMODB_ENDPOINT: 'http://127.0.0.1:9',
  LIVEKIT_PARAMETER: '/no-parameter',
  AWS_REGION: 'eu-central-1',
  COGNITO_ISSUER: 'http://127.0.0.1:9/no-pool',
  COGNITO_CLIENT_IDS: 'no-client',
  // The account of the local S3.
  AWS_ACCESS_KEY_ID: 'S3RVER',
  AWS_SECRET_ACCESS_KEY: 'S3RVER',
  RECORDINGS_BUCKET: 'no-bucket',
  RECORDINGS_ENDPOINT: 'http://127.0.0.1:9',
  // One for all files: each would need up to half a second for its own (test/harness/issuer.ts).
  TEST_ISSUER_KEY: generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
};

/** A worker keeps its modules from file to file: the fast tests take 59 s in place of 95. */
const isolate = false;

export default defineConfig({
  test: {
    env,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    isolate,
    // A machine that starves for a moment fails a test that is right. The report shows what was repeated.
    retry: process.env['CI'] ? 1 : 0,
    projects: [
      {
        extends: true,
        test: {
          name: 'lib',
          include: [
            'lib/**/*.test.ts',
            'openapi/**/*.test.ts',
            'bench/**/*.test.ts',
            'functions/**/*.test.ts',
            'local/**/*.test.ts',
          ],
        },
      },
      {
        extends: './web/vite.config.ts',
        test: {
          name: 'web',
          include: ['web/src/**/*.test.{ts,tsx}'],
          environment: 'happy-dom',
          isolate,
        },
      },
      {
        extends: true,
        test: {
          name: 'handlers',
          include: ['test/{handlers,livekit,local,deploy,cli,model,web,tree,egress}/**/*.test.ts'],
          setupFiles: 'test/harness/openapi.setup.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'api',
          include: ['test/api/**/*.test.ts'],
          globalSetup: 'test/api/setup.ts',
          setupFiles: 'test/harness/openapi.setup.ts',
        },
      },
      {
        extends: true,
        test: { name: 'soak', include: ['soak/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'explorer',
          include: ['test/explorer/**/*.test.ts'],
          exclude: ['test/explorer/faults.slow.test.ts'],
          // A test that is cut off leaves its steps to the next one, so a busy machine gets time.
          testTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/explorer/faults.slow.test.ts'],
          testTimeout: 120_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts', 'functions/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: ['text-summary', 'html'],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
