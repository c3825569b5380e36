/**
 * A plugin of osls, for `serverless offline start`: this project's gateway stands before the functions in
 * the place of serverless-offline's. That one still runs them, on its Lambda port.
 */
import * as z from 'zod';
import { type Route, startGateway } from './gateway.ts';

const Options = z.object({
  host: z.string(),
  httpPort: z.coerce.number(),
  lambdaPort: z.coerce.number(),
});

const HttpApi = z.object({
  method: z.string(),
  path: z.string(),
  authorizer: z.optional(z.object({ name: z.literal('members') })),
});

/** As much of serverless.yml as the gateway is about, with its variables resolved. */
const Service = z.object({
  provider: z.object({
    httpApi: z.object({
      cors: z.object({
        allowedOrigins: z.array(z.string()),
        allowedHeaders: z.array(z.string()),
        allowedMethods: z.array(z.string()),
        exposedResponseHeaders: z.array(z.string()),
        maxAge: z.number(),
      }),
      authorizers: z.object({
        // osls makes a text of a list of one.
        members: z.object({
          issuerUrl: z.string(),
          audience: z.pipe(
            z.union([z.string(), z.array(z.string())]),
            z.transform((audience) => [audience].flat()),
          ),
        }),
      }),
    }),
  }),
  functions: z.record(
    z.string(),
    z.object({
      name: z.string(),
      events: z.array(z.looseObject({ httpApi: z.optional(HttpApi) })).default([]),
    }),
  ),
});

/** As much of osls as this plugin uses: https://github.com/oss-serverless/osls */
interface Serverless {
  service: { functions: Record<string, { events?: { httpApi?: unknown }[] }> };
}

interface Utils {
  log: { notice(line: string): void; error(line: string): void };
}

export default class GatewayPlugin {
  readonly hooks: Record<string, () => Promise<void>>;

  constructor(serverless: Serverless, options: unknown, { log }: Utils) {
    let service: z.infer<typeof Service>;
    // What others have begun would keep the process alive after an error.
    const orExit = (hook: () => void | Promise<void>) => async () => {
      try {
        await hook();
      } catch (error) {
        log.error(`The gateway did not start: ${error}`);
        process.exit(1);
      }
    };
    this.hooks = {
      'before:offline:start:init': orExit(() => {
        service = Service.parse(serverless.service);
        // Without any of these, serverless-offline opens no port for them.
        for (const each of Object.values(serverless.service.functions)) {
          each.events = (each.events ?? []).filter(({ httpApi }) => httpApi === undefined);
        }
      }),
      'after:offline:start:init': orExit(async () => {
        const { host, httpPort, lambdaPort } = Options.parse(options);
        const { url } = await startGateway({
          host,
          port: httpPort,
          routes: routesOf(service),
          authorizer: {
            issuer: service.provider.httpApi.authorizers.members.issuerUrl,
            audience: service.provider.httpApi.authorizers.members.audience,
          },
          cors: service.provider.httpApi.cors,
          invoke: invokerOf(`http://${host}:${lambdaPort}`),
          onLine: (line) => log.notice(line),
        });
        log.notice(`Gateway ready: ${url}`);
      }),
    };
  }
}

const routesOf = ({ functions }: z.infer<typeof Service>): Route[] =>
  Object.values(functions).flatMap(({ name, events }) =>
    events.flatMap(({ httpApi }) =>
      httpApi
        ? [
            {
              method: httpApi.method.toUpperCase(),
              path: httpApi.path,
              isGuarded: httpApi.authorizer !== undefined,
              functionName: name,
            },
          ]
        : [],
    ),
  );

/** By Lambda's API, as serverless-offline has it. @throws for whatever the function throws */
export const invokerOf =
  (origin: string) =>
  async (functionName: string, event: object, signal: AbortSignal): Promise<unknown> => {
    const response = await fetch(`${origin}/2015-03-31/functions/${functionName}/invocations`, {
      method: 'POST',
      body: JSON.stringify(event),
      signal,
    });
    const text = await response.text();
    if (!response.ok || response.headers.has('x-amz-function-error')) {
      throw new Error(`the function failed (${response.status}): ${text.slice(0, 2000)}`);
    }
    return text === '' ? undefined : JSON.parse(text);
  };
