/** Join tokens of this service, at LiveKit itself. */
import { describe, expect, it } from 'vitest';
import { LiveKitService } from '../../lib/livekit/service.ts';
import { API_KEY, API_SECRET } from '../harness/livekit-events.ts';
import { isMissing, LIVEKITS } from '../harness/world.ts';
import { startWorld } from './livekits.ts';

describe.each(LIVEKITS)('LiveKit as a %s', (kind) => {
  it.skipIf(isMissing(kind))(
    'takes the limits of a room that the join creates from a token of this service',
    { timeout: 30_000 },
    async () => {
      const world = await startWorld(kind, { autoCreate: true });
      try {
        const settings = { wsUrl: world.wsUrl, apiKey: API_KEY, apiSecret: API_SECRET };
        const service = new LiveKitService(async () => settings);
        const roomOptions = {
          emptyTimeoutSeconds: 77,
          departureTimeoutSeconds: 88,
          maxParticipants: 9,
          metadata: { clubName: 'Bücher 📚' },
        };
        const token = await service.createToken(
          'a-room',
          'Zoë',
          'zoe',
          {},
          {
            ttlSeconds: 60,
            roomOptions,
          },
        );
        const person = await world.join(token);
        const [room] = await world.rooms.listRooms(['a-room']);
        expect(room).toMatchObject({
          emptyTimeout: 77,
          departureTimeout: 88,
          maxParticipants: 9,
          metadata: '{"clubName":"Bücher 📚"}',
        });
        expect(await service.getParticipants('a-room')).toMatchObject([
          { kind: 'standard', identity: 'zoe', name: 'Zoë', sid: person.sid },
        ]);
        await person.leave();
      } finally {
        await world.close();
      }
    },
  );
});
