import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import type { Route } from './events.ts';
import { countAsWaiting, type Waiting } from './waiting.ts';

export type Implementation = 'ours' | 'plain';

/** What a worker sends its requests to. `api`: ours over HTTP, behind what stands in for API Gateway. */
export type Target = Implementation | 'api';

type Handler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;
export type Handlers = Record<Route, Handler>;

export const handlersOf = async (target: Target): Promise<Handlers> =>
  ({ ours: ourHandlers, plain: plainHandlers, api: apiHandlers })[target]();

/** Methods of the ports that reach nothing outside this process. */
const LOCAL_METHODS = ['createToken', 'getServerUrl'];

/**
 * The four real functions over their real dependencies, configured by the environment. Where a
 * `waiting` is given, each call of a port that leaves this process counts as such.
 */
export async function ourHandlers(waiting?: Waiting): Promise<Handlers> {
  const [{ createDeps }, config, token, start, end, status] = await Promise.all([
    import('../lib/deps.ts'),
    import('../lib/config.ts'),
    import('../functions/token.ts'),
    import('../functions/start.ts'),
    import('../functions/end.ts'),
    import('../functions/status.ts'),
  ]);
  const { store, livekit, identity, rooms, tokens, limits, recording } = config;
  const made = createDeps(
    config.loadConfig({ store, livekit, identity, rooms, tokens, limits, recording }),
  );
  const leaves = (method: string) => !LOCAL_METHODS.includes(method);
  const deps = waiting
    ? {
        ...made,
        clubs: countAsWaiting(made.clubs, leaves, waiting),
        presence: countAsWaiting(made.presence, leaves, waiting),
        media: countAsWaiting(made.media, leaves, waiting),
      }
    : made;
  return {
    token: token.createHandler(deps),
    start: start.createHandler(deps),
    end: end.createHandler(deps),
    status: status.createHandler(deps),
  };
}

const forEveryRoute = (handler: Handler): Handlers => ({
  token: handler,
  start: handler,
  end: handler,
  status: handler,
});

/** The Express app behind the adapter with which one runs on Lambda. */
async function plainHandlers(): Promise<Handlers> {
  const [{ configure }, { app }] = await Promise.all([
    import('@codegenie/serverless-express'),
    import('./plain/app.ts'),
  ]);
  const proxy = configure<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({
    app,
  });
  const handler: Handler = async (event, context) => {
    const answer = await proxy(event, context, () => undefined);
    if (!answer) throw new Error('The adapter gave no answer');
    return answer;
  };
  return forEveryRoute(handler);
}

/** The API that `API_ORIGIN` names, asked what the event asks. */
function apiHandlers(): Handlers {
  const { API_ORIGIN: origin } = process.env;
  const handler: Handler = async ({ rawPath, headers, body, requestContext }) => {
    const { authorization = '' } = headers;
    const answer = await fetch(`${origin}${rawPath}`, {
      method: requestContext.http.method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
    });
    return { statusCode: answer.status, body: await answer.text() };
  };
  return forEveryRoute(handler);
}
