import getPort from 'get-port';
import { type ApiSettings, startApi } from './api.ts';
import { createDemoData } from './demo-data.ts';
import { startDatabase, type Table } from './dynamodb.ts';
import { type Cognito, issuerOf, startIdentity } from './identity.ts';
import { type LiveKit, startLiveKit } from './livekit/start.ts';
import type { StackDescription } from './stack-file.ts';

const USUAL_PORTS = { dynamodb: 8000, cognito: 9229, api: 3000, lambda: 3002 };
const USUAL_LIVEKIT_PORT = 7880;

export type Stack = {
  description: StackDescription;
  /** Tests that run in this process put faults into its stand-in. */
  livekit: LiveKit;
  /** Sentences for whoever started it: another port than usual, LiveKit is a stand-in. */
  notes: string[];
  /** Settles, with a sentence that names it, when a part ends that nobody stopped. */
  exited: Promise<string>;
  /** Ends every part, within four seconds. */
  stop(): Promise<void>;
};

export type StackOptions = {
  /** The usual ports where they are free, or (for tests, which share a machine) any free ones. */
  ports?: 'usual' | 'free';
  /** Chooses the parts (LIVEKIT, LIVEKIT_*, DYNAMODB_ENDPOINT) and configures the functions. */
  env?: NodeJS.ProcessEnv;
  /** Gets the output of the parts, line by line. */
  onLine?: ((part: string, line: string) => void) | undefined;
  /** Gives up the start; what has started by then is stopped again. */
  signal?: AbortSignal | undefined;
};

/** Starts database, identity, LiveKit and API with the demo data, and waits until all answer. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { env = process.env, onLine } = options;
  const { DYNAMODB_ENDPOINT } = env;
  const { ports, notes } = await choosePorts(options.ports ?? 'usual');
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, ...(options.signal ? [options.signal] : [])]);
  const linesOf = (part: string) => (line: string) => onLine?.(part, line);

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
  };
  const unlessStopping = (exited: Promise<string>) =>
    new Promise<string>((resolve) => {
      void exited.then((sentence) => {
        if (!stopping.signal.aborted) resolve(sentence);
      });
    });

  try {
    const backing = Promise.all([
      begin(
        startDatabase(
          DYNAMODB_ENDPOINT ? { endpoint: DYNAMODB_ENDPOINT } : { port: ports.dynamodb },
        ),
      ),
      begin(startIdentity({ port: ports.cognito, onLine: linesOf('cognito'), signal })),
      begin(startLiveKit({ env })),
    ]);
    const api = begin(
      backing.then(([table, cognito, livekit]) =>
        startApi({
          httpPort: ports.api,
          lambdaPort: ports.lambda,
          settings: settingsFor(table, cognito, livekit),
          env,
          onLine: linesOf('api'),
          signal,
        }),
      ),
    );
    const demoData = backing.then(([table, cognito]) => createDemoData(table, cognito));

    const [[table, cognito, livekit], { url, exited }, { clubs, users }] = await Promise.all([
      backing,
      api,
      demoData,
    ]);
    const { kind, wsUrl, apiKey, apiSecret } = livekit;
    const { endpoint, userPoolId, clientId } = cognito;
    return {
      description: {
        apiUrl: url,
        livekit: { kind, wsUrl, apiKey, apiSecret },
        cognito: { endpoint, userPoolId, clientId },
        dynamodb: { endpoint: table.endpoint, tableName: table.tableName },
        clubs,
        users,
      },
      livekit,
      notes: [...notes, ...notesOn(livekit)],
      exited: unlessStopping(Promise.race([exited, cognito.exited, livekit.exited])),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settingsFor(table: Table, cognito: Cognito, livekit: LiveKit): ApiSettings {
  return {
    TABLE_NAME: table.tableName,
    DYNAMODB_ENDPOINT: table.endpoint,
    LIVEKIT_WS_URL: livekit.wsUrl,
    LIVEKIT_API_KEY: livekit.apiKey,
    LIVEKIT_API_SECRET: livekit.apiSecret,
    COGNITO_ISSUER: issuerOf(cognito),
    COGNITO_CLIENT_IDS: cognito.clientId,
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

async function choosePorts(wanted: 'usual' | 'free') {
  const ports = { ...USUAL_PORTS };
  const notes: string[] = [];
  for (const part of ['dynamodb', 'cognito', 'api', 'lambda'] as const) {
    const usual = USUAL_PORTS[part];
    ports[part] = await getPort(wanted === 'usual' ? { port: usual } : {});
    if (wanted === 'usual' && ports[part] !== usual) {
      notes.push(`Port ${usual} is taken: ${part} is on ${ports[part]}.`);
    }
  }
  return { ports, notes };
}
