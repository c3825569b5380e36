import { setTimeout as delay } from 'node:timers/promises';

/** Sends the request of this number; its latency counts from `dueAt`, on the clock of `performance`. */
export type Send = (index: number, dueAt: number) => Promise<void>;

/** A closed loop: each of the users sends its next request when its last one is answered. */
export async function closedLoop(requests: number, users: number, send: Send): Promise<void> {
  let next = 0;
  const user = async () => {
    for (let index = next++; index < requests; index = next++) {
      await send(index, performance.now());
    }
  };
  await Promise.all(Array.from({ length: users }, user));
}

/**
 * An open loop: requests come at random (Poisson) as from many independent users,
 * and do not wait for a service that is slow. Latency counts from when a request was due, so what a
 * generator that is late would leave out is in it.
 */
export async function openLoop(requests: number, perSecond: number, send: Send): Promise<void> {
  const sent: Promise<void>[] = [];
  let dueAt = performance.now();
  for (let index = 0; index < requests; index++) {
    dueAt += (-Math.log(1 - Math.random()) / perSecond) * 1000;
    const early = dueAt - performance.now();
    if (early > 0) await delay(early);
    sent.push(send(index, dueAt));
  }
  await Promise.all(sent);
}
