/** What other people do between two steps of a request about members and moderators. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { justAfter, times, unprocessed } from '../support/faults.ts';
import { type Moderation, type Service, startModeration } from '../support/moderation.ts';

let world: Moderation;
/** A process with nothing wrong: what the other people use. */
let service: Service;
beforeAll(async () => {
  world = await startModeration();
  service = await world.boot();
});
afterAll(() => world.close());

const isClub = (sk: string) => sk === 'CLUB';

describe('BatchGetItem that leaves a key unprocessed', () => {
  it('gives no token to a member who is removed before the key is read', async () => {
    const { clubId, member, owner } = await world.createClub();
    const { call } = await world.boot({
      faults: [
        justAfter('BatchGetItem', async () => {
          await service.manage({ command: 'remove-member', clubId, userId: member.userId });
          await service.call('start', owner, { clubId });
        }),
        times(1, unprocessed(isClub)),
      ],
    });
    const { status, body } = await call('token', member, { clubId });
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'NOT_A_MEMBER' });
  });

  it('costs a failing request a few calls', async () => {
    const { clubId, owner } = await world.createClub();
    const { call, wire } = await world.boot({ faults: [unprocessed(isClub)] });
    const { body } = await call('start', owner, { clubId });
    expect(body.code).toBe('STORE_UNAVAILABLE');
    expect(wire.operations().length).toBeGreaterThan(3);
    expect(wire.operations().length).toBeLessThan(12);
  });
});
