/** The functions' configuration, of all of them at once. */
import * as config from '../../lib/config.ts';
import { CLIENT_ID } from './issuer.ts';
import { RECORDING_ENV } from './no-recordings.ts';

const { store, livekit, identity, rooms, tokens, limits, cleanup, recording } = config;

export type Config = ReturnType<typeof configOf>;

/** Over what all tests share; without recordings unless the environment names a bucket. */
export const configOf = (env: Record<string, string>) =>
  config.loadConfig(
    { store, livekit, identity, rooms, tokens, limits, cleanup, recording },
    {
      ...RECORDING_ENV,
      COGNITO_CLIENT_IDS: CLIENT_ID,
      ...env,
    },
  );
