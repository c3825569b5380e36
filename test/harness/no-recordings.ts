/** For tests in which nothing is recorded: settings with nothing behind them. */
export const RECORDING_ENV = {
  AWS_REGION: 'eu-central-1',
  RECORDINGS_BUCKET: 'no-bucket',
  RECORDINGS_ENDPOINT: 'http://127.0.0.1:9',
};

export const NO_RECORDINGS = {
  retentionDays: 30,
  default: 'video',
  bucket: 'no-bucket',
  region: 'eu-central-1',
  endpoint: 'http://127.0.0.1:9',
} as const;
