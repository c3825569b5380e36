import getPort from 'get-port';
import { type ApiSettings, apiUrl, startApi, webhookUrl } from './api.ts';
import { createDemoData } from './demo-data.ts';
import { startDatabase, type Table } from './dynamodb.ts';
import { type Cognito, cognitoOn, issuerOf, startIdentity } from './identity.ts';
import { type LiveKit, startLiveKit } from './livekit/start.ts';
import { createPublicHost, type PublicHost } from './network.ts';
import { referenceUrl, startReference } from './reference.ts';
import { type S3, startS3 } from './s3.ts';
import type { StackDescription } from './stack-file.ts';
import { startWeb, webConfig, webUrl } from './web.ts';

const USUAL_PORTS = {
  web: 5173,
  dynamodb: 8000,
  cognito: 9229,
  api: 3000,
  reference: 3001,
  s3: 4568,
  lambda: 3002,
};
const USUAL_LIVEKIT_PORT = 7880;
const ATTEMPTS = 3;

export type Stack = {
  description: StackDescription;
  /** Tests that run in this process put faults into its stand-in. */
  livekit: LiveKit;
  /** Sentences for the terminal: another port than usual, LiveKit is a stand-in. */
  notes: string[];
  /** Settles, with a sentence that names it, when a part ends unexpectedly. */
  exited: Promise<string>;
  /** Ends every part, within four seconds. */
  stop(): Promise<void>;
};

type StackOptions = {
  /** The usual ports where they are free, or (for tests, which share a machine) any free ones. */
  ports?: 'usual' | 'free';
  /** Chooses the parts (LIVEKIT, LIVEKIT_*, DYNAMODB_ENDPOINT) and configures the functions. */
  env?: NodeJS.ProcessEnv;
  /** Parameters of the stage `local` in place of their defaults: docs/configuration.md. */
  params?: Record<string, string>;
  /** Whether the page to meet on is served; its address is known in any case. */
  web?: boolean;
  /** An address of this machine, where others on the network open the page, over https. */
  host?: string | undefined;
  /** Gets the output of the parts, line by line. */
  onLine?: ((part: string, line: string) => void) | undefined;
  /** Gives up the start; what has started by then is stopped again. */
  signal?: AbortSignal | undefined;
};

/** Starts database, identity, LiveKit and API with the demo data, and waits until all answer. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startParts(options);
    } catch (error) {
      // A port can be taken between being chosen and being listened on, seconds later.
      if (attempt === ATTEMPTS || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

async function startParts(options: StackOptions): Promise<Stack> {
  const publicHost = options.host === undefined ? undefined : await createPublicHost(options.host);
  try {
    const stack = await startPartsFor(options, publicHost);
    return { ...stack, stop: () => stack.stop().finally(publicHost?.remove) };
  } catch (error) {
    await publicHost?.remove();
    throw error;
  }
}

async function startPartsFor(
  options: StackOptions,
  publicHost: PublicHost | undefined,
): Promise<Stack> {
  const { env = process.env, onLine } = options;
  const { DYNAMODB_ENDPOINT: external } = env;
  const { ports, notes } = await choosePorts(options.ports ?? 'usual', Boolean(external));
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, ...(options.signal ? [options.signal] : [])]);
  const linesOf = (part: string) => (line: string) => onLine?.(part, line);

  const starting: { s3?: Promise<S3> } = {};
  const parts: Promise<{ stop(): Promise<void> }>[] = [];
  const begin = <T extends { stop(): Promise<void> }>(part: Promise<T>) => {
    parts.push(part);
    return part;
  };
  const stop = async () => {
    stopping.abort(new Error('The stack is being stopped.'));
    const settled = await Promise.allSettled(parts);
    const started = settled.filter((part) => part.status === 'fulfilled');
    await Promise.all(started.map((part) => part.value.stop()));
    // After the recorder, which uploads what it records.
    await starting.s3?.then(
      (s3) => s3.stop(),
      () => undefined,
    );
  };
  const unlessStopping = (exited: Promise<string>) =>
    new Promise<string>((resolve) => {
      void exited.then((sentence) => {
        if (!stopping.signal.aborted) resolve(sentence);
      });
    });

  try {
    const cognito = cognitoOn(ports.cognito);
    const pageUrl = webUrl(ports.web, publicHost?.address);
    /** What a page of another machine calls in the place of a part on loopback. */
    const seen = (url: string) => (publicHost ? `${pageUrl}${pathOf(url)}` : url);
    starting.s3 = startS3({ port: ports.s3, corsOrigins: [pageUrl] });
    const starts = {
      s3: starting.s3,
      database: begin(
        startDatabase(external ? { endpoint: external } : { port: ports.dynamodb }, signal),
      ),
      identity: begin(
        startIdentity({
          port: ports.cognito,
          callbackUrl: `${pageUrl}/callback`,
          onLine: linesOf('cognito'),
          signal,
        }),
      ),
      livekit: begin(
        startLiveKit({
          env,
          signal,
          publicAddress: publicHost?.address,
          hasRecorder: true,
          webhookUrl: webhookUrl(ports.api),
        }),
      ),
    };
    const startApiWith = async () => {
      const [database, livekit, s3] = await Promise.all([
        starts.database,
        starts.livekit,
        starts.s3,
      ]);
      return startApi({
        httpPort: ports.api,
        lambdaPort: ports.lambda,
        settings: {
          ...settingsFor(database, cognito, livekit, s3),
          // It goes to clients as well as to the functions, which trust the certificate.
          ...(livekit.kind !== 'external' && {
            LIVEKIT_WS_URL: seen(livekit.wsUrl).replace(/^http/, 'ws'),
          }),
          REFERENCE_ORIGIN: referenceUrl(ports.reference),
          WEB_ORIGIN: pageUrl,
        },
        env: { ...env, ...(publicHost && { NODE_EXTRA_CA_CERTS: publicHost.certFile }) },
        ...(options.params && { params: options.params }),
        onLine: linesOf('api'),
        signal,
      });
    };
    const writeDemoData = async () => {
      const [database] = await Promise.all([starts.database, starts.identity]);
      return createDemoData(database, cognito);
    };
    const [{ clubs, users }, api, reference, database, identity, livekit, s3] = await Promise.all([
      writeDemoData(),
      begin(startApiWith()),
      begin(startReference({ port: ports.reference, apiUrl: apiUrl(ports.api) })),
      starts.database,
      starts.identity,
      starts.livekit,
      starts.s3,
    ]);
    const { kind, wsUrl, apiKey, apiSecret } = livekit;
    if (options.web) {
      const config = webConfig(seen(api.url), cognito, kind, seen(cognito.endpoint));
      await begin(
        startWeb({
          port: ports.web,
          config,
          publicHost,
          behind: {
            api: new URL(api.url).origin,
            cognito: cognito.endpoint,
            livekit: wsUrl.replace(/^ws/, 'http'),
          },
        }),
      );
    }
    return {
      description: {
        webUrl: pageUrl,
        apiUrl: api.url,
        referenceUrl: reference.url,
        livekit: { kind, wsUrl, apiKey, apiSecret },
        cognito,
        s3: { endpoint: s3.endpoint, bucket: s3.bucket },
        dynamodb: { endpoint: database.endpoint, tableName: database.tableName },
        clubs,
        users,
      },
      livekit,
      notes: [...notes, ...notesOn(livekit)],
      exited: unlessStopping(Promise.race([api.exited, identity.exited, livekit.exited])),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Without the slash of none. */
const pathOf = (url: string): string => new URL(url).pathname.replace(/\/$/, '');

export function settingsFor(
  table: Table,
  cognito: Cognito,
  livekit: Pick<LiveKit, 'kind' | 'wsUrl' | 'apiKey' | 'apiSecret'>,
  s3: S3,
): ApiSettings {
  return {
    TABLE_NAME: table.tableName,
    DYNAMODB_ENDPOINT: table.endpoint,
    LIVEKIT_WS_URL: livekit.wsUrl,
    LIVEKIT_API_KEY: livekit.apiKey,
    LIVEKIT_API_SECRET: livekit.apiSecret,
    COGNITO_ISSUER: issuerOf(cognito),
    COGNITO_CLIENT_IDS: cognito.clientId,
    RECORDINGS_BUCKET: s3.bucket,
    RECORDINGS_ENDPOINT: s3.endpoint,
    ...(livekit.kind !== 'external' && {
      RECORDING_UPLOAD_ACCESS_KEY: s3.accessKeyId,
      RECORDING_UPLOAD_SECRET: s3.secretAccessKey,
      RECORDING_UPLOAD_REGION: s3.region,
    }),
  };
}

function notesOn({ kind, wsUrl, note }: LiveKit): string[] {
  const { port } = new URL(wsUrl);
  const moved = kind !== 'external' && port !== `${USUAL_LIVEKIT_PORT}`;
  return [
    ...(moved ? [`Port ${USUAL_LIVEKIT_PORT} is taken: livekit is on ${port}.`] : []),
    ...(note === undefined ? [] : [note]),
  ];
}

/** A free one, for a part that is started in a moment. */
export const freePort = (): Promise<number> => getPort({ port: someFreePorts() });

/** From below the range that the system takes the ports of outgoing connections from. */
const someFreePorts = (): number[] =>
  Array.from({ length: 20 }, () => 10_000 + Math.floor(Math.random() * 20_000));

async function choosePorts(wanted: 'usual' | 'free', isDatabaseExternal: boolean) {
  const ports = { ...USUAL_PORTS };
  const notes: string[] = [];
  for (const [name, usual] of Object.entries(USUAL_PORTS) as [keyof typeof ports, number][]) {
    if (name === 'dynamodb' && isDatabaseExternal) continue;
    ports[name] = await getPort({
      port: wanted === 'usual' ? [usual, ...someFreePorts()] : someFreePorts(),
    });
    if (wanted === 'usual' && ports[name] !== usual) {
      notes.push(`Port ${usual} is taken: ${name} is on ${ports[name]}.`);
    }
  }
  return { ports, notes };
}
