import { ulid } from 'ulid';
import { createCallerVerifier, type IdentityOptions } from './cognito/caller.ts';
import { createClubRepository, type StoreOptions } from './dynamodb/clubs.ts';
import {
  type LiveKitProject,
  type ProjectParameter,
  projectFromParameter,
} from './livekit/project.ts';
import { LiveKitService } from './livekit/service.ts';
import { createLog } from './observability.ts';

export interface DepsConfig {
  store: StoreOptions;
  livekit: { project: LiveKitProject } | { parameter: ProjectParameter };
  identity: IdentityOptions;
}

/**
 * The composition root: what the configuration says, made into what the use cases need. Each function
 * calls it once, at its cold start, and passes on the parts of the configuration that it loaded.
 */
export function createDeps<C extends DepsConfig>(config: C) {
  return {
    ...config,
    clubs: createClubRepository(config.store),
    media: new LiveKitService(projectOf(config.livekit)),
    verifyCaller: createCallerVerifier(config.identity),
    now: () => new Date(),
    newMeetingId: (startedAt: Date) => ulid(startedAt.getTime()),
    log: createLog(),
  };
}

function projectOf(livekit: DepsConfig['livekit']): () => Promise<LiveKitProject> {
  if ('parameter' in livekit) return projectFromParameter(livekit.parameter);
  return () => Promise.resolve(livekit.project);
}
