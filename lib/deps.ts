import { ulid } from 'ulid';
import { createCallerVerifier, type IdentityOptions } from './cognito/caller.ts';
import { createClubAdministration } from './dynamodb/administration.ts';
import { createClubRepository } from './dynamodb/clubs.ts';
import { createGrantRepository } from './dynamodb/grants.ts';
import { createMemberRepository } from './dynamodb/members.ts';
import { createPresenceRepository } from './dynamodb/presence.ts';
import { createProbeRepository } from './dynamodb/probes.ts';
import { createRecordingRepository } from './dynamodb/recordings.ts';
import { openTable, type Table, type TableOptions } from './dynamodb/table.ts';
import { createRecorder, type RecorderOptions } from './livekit/recorder.ts';
import { LiveKitService } from './livekit/service.ts';
import {
  type LiveKitSettings,
  type SettingsParameter,
  settingsFromParameter,
} from './livekit/settings.ts';
import type { TwirpOptions } from './livekit/twirp.ts';
import { createWebhookVerifier } from './livekit/webhook.ts';
import type { RetentionRules } from './meetings/recording/close.ts';
import { createLog, createMeter, timed } from './observability.ts';
import { type BucketOptions, createFileStore } from './s3/files.ts';

interface StoreConfig {
  store: TableOptions;
}
interface IdentityConfig {
  identity: IdentityOptions;
}
interface LiveKitConfig {
  livekit: { settings: LiveKitSettings } | { parameter: SettingsParameter };
}
interface RecordingConfig {
  recording: BucketOptions & RetentionRules;
}

/**
 * The composition root: what the configuration says, made into what the use cases need. Each function
 * calls one of these once, at its cold start; the parts of the configuration that are left over, such
 * as limits, are passed on as they are.
 */
export const createServiceDeps = <C extends StoreConfig & LiveKitConfig>(config: C) =>
  serviceDeps(config, tableOf(config), settingsOf(config));

/** For a function that people call about the meeting that is on. */
export const createDeps = <C extends StoreConfig & LiveKitConfig & IdentityConfig>(config: C) => ({
  ...createServiceDeps(config),
  newMeetingId: (startedAt: Date) => ulid(startedAt.getTime()),
  verifyCaller: createCallerVerifier(config.identity),
});

/** For a function that people call and that asks LiveKit nothing. */
export const createRecordDeps = <C extends StoreConfig & IdentityConfig>(config: C) => ({
  ...config,
  ...storeDeps(tableOf(config)),
  verifyCaller: createCallerVerifier(config.identity),
});

/** For a function that people call to record the meeting that is on. It takes part of the record alone. */
export function createRecordingDeps<
  C extends StoreConfig & LiveKitConfig & IdentityConfig & RecordingConfig,
>(config: C) {
  const settings = settingsOf(config);
  const table = tableOf(config);
  return {
    ...config,
    ...usualDeps(),
    clubs: createClubRepository(table),
    recordings: createRecordingRepository(table),
    media: mediaOf(settings),
    ...recordingDeps(config, settings),
    newRecordingId: (requestedAt: Date) => ulid(requestedAt.getTime()),
    verifyCaller: createCallerVerifier(config.identity),
  };
}

/** For a function that people call about files: it needs no LiveKit. */
export const createFileDeps = (config: StoreConfig & IdentityConfig & RecordingConfig) => ({
  ...createRecordDeps(config),
  files: filesOf(config),
});

/** For the scheduled function: it has no caller. */
export function createCleanupDeps<C extends StoreConfig & LiveKitConfig & RecordingConfig>(
  config: C,
) {
  const settings = settingsOf(config);
  const table = tableOf(config);
  return {
    ...serviceDeps(config, table, settings),
    ...recordingDeps(config, settings),
    administration: createClubAdministration(table),
  };
}

/** For LiveKit's part in answering an event, which is one call at most. */
const WEBHOOK_LIVEKIT_MS = 3_000;

/** For the function that LiveKit calls. */
export function createWebhookDeps<C extends StoreConfig & LiveKitConfig & RecordingConfig>(
  config: C,
) {
  const settings = settingsOf(config);
  const table = tableOf(config);
  const options = { callTimeoutMs: WEBHOOK_LIVEKIT_MS };
  return {
    ...serviceDeps(config, table, settings, options),
    ...recordingDeps(config, settings, { stopTimeoutMs: WEBHOOK_LIVEKIT_MS }),
    probes: createProbeRepository(table),
    verifyWebhook: createWebhookVerifier(settings),
  };
}

/** For the function that the application calls which owns the clubs. */
export function createClubCommandDeps(config: StoreConfig & LiveKitConfig) {
  const table = tableOf(config);
  return {
    ...serviceDeps(config, table, settingsOf(config)),
    administration: createClubAdministration(table),
  };
}

const serviceDeps = <C>(
  config: C,
  table: Table,
  settings: () => Promise<LiveKitSettings>,
  options: TwirpOptions = {},
) => ({
  ...config,
  ...storeDeps(table),
  media: mediaOf(settings, options),
});

const mediaOf = (settings: () => Promise<LiveKitSettings>, options: TwirpOptions = {}) =>
  new LiveKitService(settings, { timed: timed('Media'), ...options });

const recordingDeps = (
  config: RecordingConfig,
  settings: () => Promise<LiveKitSettings>,
  options: Pick<RecorderOptions, 'stopTimeoutMs'> = {},
) => ({
  recorder: createRecorder(settings, config.recording, { timed: timed('Media'), ...options }),
  files: filesOf(config),
});

const filesOf = ({ recording }: RecordingConfig) =>
  createFileStore(recording, { timed: timed('Files') });

const storeDeps = (table: Table) => ({
  clubs: createClubRepository(table),
  grants: createGrantRepository(table),
  members: createMemberRepository(table),
  presence: createPresenceRepository(table),
  recordings: createRecordingRepository(table),
  ...usualDeps(),
});

const usualDeps = () => ({ now: () => new Date(), log: createLog(), meter: createMeter() });

const tableOf = ({ store }: StoreConfig): Table => openTable(store, timed('Store'));

function settingsOf({ livekit }: LiveKitConfig): () => Promise<LiveKitSettings> {
  if ('parameter' in livekit) return settingsFromParameter(livekit.parameter);
  return () => Promise.resolve(livekit.settings);
}
