import type { Implementation } from './implementations.ts';
import { startProxy } from './proxy.ts';
import { startWorker } from './worker-client.ts';
import type { World } from './world.ts';

/** A worker with a proxy between it and each of DynamoDB and LiveKit, so many milliseconds long. */
export async function startBehindProxies(
  { addresses, environment }: World,
  way: Implementation,
  delaysMs = { dynamodb: 0, livekit: 0 },
) {
  const dynamodb = await startProxy(addresses.dynamodb, delaysMs.dynamodb);
  const livekit = await startProxy(addresses.livekit.replace(/^ws/, 'http'), delaysMs.livekit);
  const worker = await startWorker(
    way,
    environment({
      dynamodb: `http://127.0.0.1:${dynamodb.port}`,
      livekit: `ws://127.0.0.1:${livekit.port}`,
    }),
  );
  return {
    worker,
    dynamodb,
    livekit,
    async stop() {
      await Promise.all([worker.stop(), dynamodb.stop(), livekit.stop()]);
    },
  };
}
