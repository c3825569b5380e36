import { ulid } from 'ulid';
import { createCallerVerifier, type IdentityOptions } from './cognito/caller.ts';
import { createClubAdministration } from './dynamodb/administration.ts';
import { createClubRepository } from './dynamodb/clubs.ts';
import { createPresenceRepository } from './dynamodb/presence.ts';
import { openTable, type TableOptions } from './dynamodb/table.ts';
import {
  type LiveKitProject,
  type ProjectParameter,
  projectFromParameter,
} from './livekit/project.ts';
import { LiveKitService } from './livekit/service.ts';
import { createWebhookVerifier } from './livekit/webhook.ts';
import { createLog, createMeter, timed } from './observability.ts';

interface StoreConfig {
  store: TableOptions;
}
interface IdentityConfig {
  identity: IdentityOptions;
}
interface LiveKitConfig {
  livekit: { project: LiveKitProject } | { parameter: ProjectParameter };
}

/**
 * The composition root: what the configuration says, made into what the use cases need. Each function
 * calls one of these once, at its cold start; the parts of the configuration that are left over, such
 * as limits, are passed on as they are.
 */
export function createServiceDeps<C extends StoreConfig & LiveKitConfig>(config: C) {
  return {
    ...config,
    ...storeDeps(config),
    media: new LiveKitService(projectOf(config), timed('Media')),
    newMeetingId: (startedAt: Date) => ulid(startedAt.getTime()),
  };
}

/** For a function that people call about the meeting that is on. */
export const createDeps = <C extends StoreConfig & LiveKitConfig & IdentityConfig>(config: C) => ({
  ...createServiceDeps(config),
  verifyCaller: createCallerVerifier(config.identity),
});

/** For a function that people call about meetings that are over: LiveKit knows nothing of those. */
export const createHistoryDeps = (config: StoreConfig & IdentityConfig) => ({
  ...storeDeps(config),
  verifyCaller: createCallerVerifier(config.identity),
});

/** For the function that LiveKit calls. */
export const createWebhookDeps = (config: StoreConfig & LiveKitConfig) => ({
  ...createServiceDeps(config),
  verifyWebhook: createWebhookVerifier(projectOf(config)),
});

/** For the function that the application calls which owns the clubs. */
export const createManageDeps = (config: StoreConfig & LiveKitConfig) => ({
  ...createServiceDeps(config),
  administration: createClubAdministration(openTable(config.store)),
});

function storeDeps({ store }: StoreConfig) {
  const table = openTable(store, timed('Store'));
  return {
    clubs: createClubRepository(table),
    presence: createPresenceRepository(table),
    now: () => new Date(),
    log: createLog(),
    meter: createMeter(),
  };
}

function projectOf({ livekit }: LiveKitConfig): () => Promise<LiveKitProject> {
  if ('parameter' in livekit) return projectFromParameter(livekit.parameter);
  return () => Promise.resolve(livekit.project);
}
