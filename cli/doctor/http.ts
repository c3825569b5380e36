const ANSWER_WITHIN_MS = 5_000;

export interface Answer {
  status: number;
  text: string;
  headers: Headers;
  /** How far their clock is ahead of ours, by the answer's `Date`: to half a second, and the way. */
  aheadMs: number | undefined;
}

/** @throws whatever fetch throws when there is no answer */
export async function ask(
  url: string,
  init: RequestInit = {},
  withinMs: number = ANSWER_WITHIN_MS,
): Promise<Answer> {
  const sentAt = Date.now();
  const signal = AbortSignal.timeout(withinMs);
  const response = await fetch(url, { redirect: 'manual', ...init, signal });
  const receivedAt = Date.now();
  const date = Date.parse(response.headers.get('date') ?? '');
  return {
    status: response.status,
    text: await response.text(),
    headers: response.headers,
    // It is in whole seconds, so on average half of one has passed since.
    aheadMs: Number.isNaN(date) ? undefined : date + 500 - (sentAt + receivedAt) / 2,
  };
}

/** Undefined for text that is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
