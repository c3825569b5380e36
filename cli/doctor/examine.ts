import { createProbeRepository } from '../../lib/dynamodb/probes.ts';
import { openTable } from '../../lib/dynamodb/table.ts';
import { Artifacts } from './artifacts.ts';
import { askAsPerson, mayCall } from './callers.ts';
import { livekitClock, poolClock } from './clocks.ts';
import { readKeySet } from './identity.ts';
import { joinNowhere, liveKitOf, publishNowhere, reach, useKey, useRights } from './livekit.ts';
import { visitPage } from './page.ts';
import { askForRecordings, compareRetention, tryUpload } from './recordings.ts';
import { createRunner, type Finding, type Report } from './runner.ts';
import { compareExpiry, compareIndexes, compareRecovery, describeTable } from './table.ts';
import type { Target } from './targets.ts';
import { awaitEvents, EVENTS_WITHIN_MS, postEvents } from './webhook.ts';

const LOCAL_DATABASE: Finding = {
  outcome: 'skipped',
  sentence: 'Databases on this machine do not have it',
};

const LOCAL_S3: Finding = {
  outcome: 'skipped',
  sentence: 'The S3 of the development stack has one account, and keeps nothing',
};

const noPage = ({ isLocal }: Target): Finding => ({
  outcome: 'skipped',
  sentence: isLocal
    ? 'The development stack serves it without a policy'
    : 'The stage has none: the parameter web',
});
const NO_TOKEN: Finding = {
  outcome: 'skipped',
  sentence: 'Give an access token of a person, with --token',
};

export interface Options {
  /** An access token of a person. */
  token: string | undefined;
  eventsWithinMs: number | undefined;
  stop: AbortSignal | undefined;
}

/** All checks, each after those that it needs. What they make is gone at the end. */
export async function examine(
  target: Target,
  tell: (report: Report) => void,
  { token, eventsWithinMs = EVENTS_WITHIN_MS, stop }: Options,
): Promise<Report[]> {
  const { check, reports } = createRunner(tell, stop);
  const artifacts = new Artifacts();

  const configuration = await check('configuration', {}, () => target.readConfiguration());
  const probes = configuration && createProbeRepository(openTable(configuration.table));
  await check('functions', { configuration }, () => target.startFunctions());
  const parameter = await check('parameter', { configuration }, () => target.readSettings());
  const media = parameter && liveKitOf(parameter);

  const livekit = await check('livekit', { parameter: media }, (found) => reach(found.parameter));
  const key = await check('key', { parameter: media, livekit }, (found) =>
    useKey(found.parameter, artifacts, found.livekit),
  );
  const rights = await check('rights', { parameter: media, key }, (found) =>
    useRights(found.parameter, artifacts),
  );
  // By a room's creation where one could be made: the header may be of something before LiveKit.
  await check('livekit-clock', { livekit: rights?.aheadMs ?? livekit?.aheadMs }, async (found) =>
    livekitClock(found.livekit),
  );
  await check('auto-create', { parameter: media, rights }, (found) =>
    joinNowhere(found.parameter, artifacts),
  );
  await check('whip', { parameter: media, rights }, (found) =>
    publishNowhere(found.parameter, artifacts),
  );

  await check('recorder', { parameter: media, rights }, (found) =>
    askForRecordings(found.parameter),
  );

  const keySet = await check('key-set', { configuration }, (found) =>
    readKeySet(found.configuration.issuer),
  );
  await check('pool-clock', { 'key-set': keySet?.aheadMs }, async (found) =>
    poolClock(found['key-set']),
  );

  await check('cors', { configuration }, (found) => mayCall(found.configuration, target.isLocal));
  await check('token', { configuration }, async (found) =>
    token === undefined ? NO_TOKEN : askAsPerson(found.configuration, token),
  );

  const page = configuration?.page;
  await check('page', { configuration, parameter }, async (found) =>
    page ? visitPage(page, found.configuration, found.parameter) : noPage(target),
  );

  const table = await check('table', { configuration }, (found) =>
    describeTable(target.dynamodb, found.configuration.table.tableName),
  );
  await check('index', { table }, (found) => compareIndexes(found.table));
  await check('expiry', { table }, async (found) =>
    target.isLocal ? LOCAL_DATABASE : compareExpiry(target.dynamodb, found.table),
  );
  await check('recovery', { table }, async (found) =>
    target.isLocal ? LOCAL_DATABASE : compareRecovery(target.dynamodb, found.table),
  );

  const { s3 } = target;
  const recordings = configuration?.recordings;
  await check('uploads', { configuration, parameter }, async (found) =>
    s3 && recordings ? tryUpload(s3, recordings, found.parameter) : LOCAL_S3,
  );
  await check('retention', { configuration }, async () =>
    s3 && recordings ? compareRetention(s3, recordings) : LOCAL_S3,
  );

  const webhookUrl = configuration?.webhookUrl;
  const webhook = await check(
    'webhook',
    { configuration: webhookUrl, parameter, table: table && probes },
    (found) => postEvents(found.configuration, found.parameter, found.table, artifacts),
  );
  await check('events', { parameter: media, rights, webhook, table: probes }, (found) =>
    awaitEvents(found.webhook.url, found.parameter, found.table, artifacts, eventsWithinMs),
  );

  await check('left-behind', {}, () => artifacts.remove(key && media?.service, table && probes), {
    evenIfStopped: true,
  });
  return reports;
}
