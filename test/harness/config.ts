/** The functions' configuration, of all of them at once. */
import * as config from '../../lib/config.ts';
import { CLIENT_ID } from './issuer.ts';

const { store, livekit, identity, rooms, tokens, limits, cleanup, recording } = config;

export type Config = ReturnType<typeof configOf>;

/** Over what all tests share; without recordings unless the environment names a bucket. */
export const configOf = (env: Record<string, string>) =>
  config.loadConfig(
    { store, livekit, identity, rooms, tokens, limits, cleanup, recording },
    {
      AWS_REGION: 'eu-central-1',
      RECORDINGS_BUCKET: 'no-bucket',
      RECORDINGS_ENDPOINT: 'http://127.0.0.1:9',
      COGNITO_CLIENT_IDS: CLIENT_ID,
      ...env,
    },
  );
