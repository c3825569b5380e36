import middy, { type MiddlewareObj } from '@middy/core';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import { TimedOut } from '../errors.ts';
import type { Caller } from '../meetings/model.ts';
import type { Log, Meter } from '../meetings/ports.ts';
import { stopOn, waits, withRequestId } from '../observability.ts';
import { codeOf, errorResponse, STATUS } from './errors.ts';
import { type Fields, type Input, parseRequest } from './request.ts';

/** What is left of the function's time when it answers for itself instead of being cut off. */
const TIME_TO_ANSWER_MS = 500;

export interface Route {
  /** As in the routes' table: `POST /token`. */
  route: string;
  /** The sentence for an internal error. */
  failure: string;
}

/** Log and metrics of each request. */
export interface Telemetry {
  log: Log;
  meter: Meter;
}

type Answer = Promise<APIGatewayProxyStructuredResultV2>;
type HttpMiddleware = MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;

/**
 * The one stack that every HTTP function runs in: request id, time budget, errors as answers, one log
 * line a request. The sender is verified before anything else is read, and `handle` gets the result of
 * `authenticate` and the event only.
 */
export function authenticatedHandler<Sender>(
  route: Route,
  reports: Telemetry,
  authenticate: (event: APIGatewayProxyEventV2) => Promise<Sender>,
  handle: (event: APIGatewayProxyEventV2, sender: Sender) => Answer,
) {
  const stack = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({
    timeoutEarlyInMillis: TIME_TO_ANSWER_MS,
    timeoutEarlyResponse: () => {
      throw new TimedOut();
    },
  })
    .use(reportRequest(route, reports))
    .use(answerErrors(route))
    .handler(async (event, _, { signal }) => {
      stopOn(signal);
      return handle(event, await authenticate(event));
    });

  return (event: APIGatewayProxyEventV2, context: Context) =>
    withRequestId(event.requestContext.requestId, () => stack(event, context));
}

export interface HttpDeps extends Telemetry {
  /** From the `Authorization` header. Throws when the token does not verify. */
  verifyCaller: (authorization: string | undefined) => Promise<Caller>;
}

/**
 * A route that people call, with their access token. `input` is everything that the route accepts: other
 * fields in the query or the body are refused.
 */
export const httpHandler = <I extends Input>(
  route: Route,
  deps: HttpDeps,
  input: I,
  handle: (fields: Fields<I> & { caller: Caller }, event: APIGatewayProxyEventV2) => Answer,
) =>
  authenticatedHandler(
    route,
    deps,
    (event) => deps.verifyCaller(event.headers['authorization']),
    (event, caller) => handle({ ...parseRequest(event, input), caller }, event),
  );

const answerErrors = ({ failure }: Route): HttpMiddleware => ({
  onError(request) {
    const { requestId } = request.event.requestContext;
    request.response = errorResponse(request.error, { failure, requestId });
  },
});

function reportRequest({ route }: Route, { log, meter }: Telemetry): HttpMiddleware {
  const startedAt = new WeakMap<object, number>();
  const durationMs = (request: object) =>
    Math.round(performance.now() - (startedAt.get(request) ?? Number.NaN));
  return {
    before(request) {
      startedAt.set(request, performance.now());
    },
    after(request) {
      const status = request.response?.statusCode;
      log.info('request', { route, status, durationMs: durationMs(request), ...waits() });
      meter.request({ route, code: 'OK' });
    },
    onError(request) {
      const code = codeOf(request.error);
      const status = STATUS[code];
      const fields = { route, status, code, durationMs: durationMs(request), ...waits() };
      if (code === 'INTERNAL') log.error('request', fields, request.error);
      else if (status >= 500) log.warn('request', fields, request.error);
      else log.info('request', fields);
      meter.request({ route, code });
    },
  };
}
