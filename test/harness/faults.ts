/** What can go wrong on a wire. Each is a `Fault` or makes one; they can be put into each other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cut, type Fault, type Side, type WireAnswer } from './wire.ts';

/** Longer than anything waits. */
const FOR_EVER_MS = 60_000;

/** The connection ends, and the request was never executed. */
export const cut: Fault = async () => {
  throw new Cut();
};

/** No answer comes, and the request is never executed. */
export const silence: Fault = async () => {
  await sleep(FOR_EVER_MS, undefined, { ref: false });
  throw new Cut();
};

/** The request is executed, and only its answer suffers: the caller cannot know. */
export const executed =
  (fault: Fault): Fault =>
  async (request, pass) => {
    await pass();
    return fault(request, pass);
  };

/** The request is executed, and its answer is lost. */
export const loseAnswer = executed(cut);

/** The request is executed, and its answer comes after the caller has given up. */
export const lateAnswer = executed(silence);

export const answer =
  (status: number, body: string, type = 'text/html'): Fault =>
  async () => ({ status, headers: { 'content-type': type }, body });

/** Changes the JSON of the answer. */
export const edit =
  (change: (body: Record<string, unknown>) => object): Fault =>
  async (_, pass) => {
    const { status, headers, body } = await pass();
    const { 'content-length': __, 'x-amz-crc32': ___, ...rest } = headers;
    return { status, headers: rest, body: JSON.stringify(change(JSON.parse(String(body)))) };
  };

/** The answer breaks off, after this text or near its end, and claims to be whole. */
export const breakOff =
  (after?: string): Fault =>
  async (_, pass) => {
    const { status, headers, body } = await pass();
    const { 'content-length': __, 'x-amz-crc32': ___, ...rest } = headers;
    const text = String(body);
    const [start] = after && text.includes(after) ? text.split(after) : [text.slice(0, -2)];
    return { status, headers: rest, body: `${start}${after ?? ''}" is where it breaks` };
  };

// ---- LiveKit's own

export const twirp = (status: number, code: string): Fault =>
  answer(status, JSON.stringify({ code, msg: 'a fault' }), 'application/json');

export const unavailable = twirp(503, 'unavailable');
export const tooMany = twirp(429, 'resource_exhausted');

/** LiveKit lists no rooms, or no participants, by mistake. */
export const emptyList: Fault = (request, pass) =>
  request.operation.startsWith('List') ? edit(() => ({}))(request, pass) : pass();

/** An event that LiveKit takes for delivered, and that never reaches the service. */
export const lost = answer(200, '');

// ---- DynamoDB's own

const DYNAMO_JSON = 'application/x-amz-json-1.0';

const dynamoError = (status: number, name: string): Fault =>
  answer(
    status,
    JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'a fault' }),
    DYNAMO_JSON,
  );

export const throttling = dynamoError(400, 'ThrottlingException');
export const internalError = dynamoError(500, 'InternalServerError');
/** A load balancer's, in front of DynamoDB: it has JSON's type and no error's name. */
export const unnamedError = answer(503, '{}', DYNAMO_JSON);

/** BatchGetItem answers 200 and leaves these keys for later. */
export const unprocessed = (isLeft: (sk: string) => boolean = () => true): Fault =>
  on('BatchGetItem', async (request, pass) => {
    const { RequestItems }: BatchGet = JSON.parse(String(request.body));
    const [[table, { Keys, ...options }] = ['', { Keys: [] }]] = Object.entries(RequestItems);
    const left = Keys.filter(({ sk }) => isLeft(sk.S));
    if (left.length === Keys.length) {
      const body = JSON.stringify({ Responses: {}, UnprocessedKeys: RequestItems });
      return answer(200, body, DYNAMO_JSON)(request, pass);
    }
    const keep = edit((body) => {
      const { Responses = {} }: { Responses?: Record<string, Key[]> } = body;
      const items = (Responses[table] ?? []).filter(({ sk }) => !isLeft(sk.S));
      const UnprocessedKeys = left.length > 0 ? { [table]: { ...options, Keys: left } } : {};
      return { Responses: { [table]: items }, UnprocessedKeys };
    });
    return keep(request, pass);
  });

interface Key {
  sk: { S: string };
}
interface BatchGet {
  RequestItems: Record<string, { Keys: Key[] }>;
}

// ---- where and when

export const on =
  (where: string | { side: Side }, fault: Fault): Fault =>
  (request, pass) => {
    const hits =
      typeof where === 'string' ? request.operation === where : request.side === where.side;
    return hits ? fault(request, pass) : pass();
  };

/** Requests that are given up, or whatever happens to them, and arrive when the test says so. */
export function late(
  where: Parameters<typeof on>[0],
  instead = cut,
): { fault: Fault; arrive(): Promise<WireAnswer[]> } {
  const held: (() => Promise<WireAnswer>)[] = [];
  return {
    fault: on(where, (request, pass) => {
      held.push(pass);
      return instead(request, pass);
    }),
    arrive: () => Promise.all(held.splice(0).map((pass) => pass())),
  };
}

/** Only for the first so many requests. */
export function times(count: number, fault: Fault): Fault {
  let left = count;
  return (request, pass) => (left-- > 0 ? fault(request, pass) : pass());
}

/** For the first such request, or the `nth`. */
export function once(operation: string, fault: Fault, nth = 1): Fault {
  let count = 0;
  return on(operation, (request, pass) => {
    count += 1;
    return count === nth ? fault(request, pass) : pass();
  });
}

/** Runs something when such a request arrives, the first or the `nth`, and executes it after that. */
export const justBefore = (operation: string, run: () => Promise<unknown>, nth = 1): Fault =>
  once(
    operation,
    async (_, pass) => {
      await run();
      return pass();
    },
    nth,
  );

/** Runs something when such a request has been executed, before its answer is given. */
export const justAfter = (operation: string, run: () => Promise<unknown>, nth = 1): Fault =>
  once(
    operation,
    async (_, pass): Promise<WireAnswer> => {
      const result = await pass();
      await run();
      return result;
    },
    nth,
  );

/** A process that is killed after so many requests: the last is executed, and its answer is lost. */
export function killedAfter(steps: number): Fault {
  let step = 0;
  return async (request, pass) => {
    step += 1;
    if (step < steps) return pass();
    return step === steps ? loseAnswer(request, pass) : cut(request, pass);
  };
}
