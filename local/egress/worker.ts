/** The recorder's process; `startRecorder` starts it. Its settings come in the environment, as JSON. */
import { dispose } from '@livekit/rtc-node';
import { connectBus } from './bus.ts';
import { serveEgress } from './egress.ts';

const { redisPort, ...settings } = JSON.parse(process.env['RECORDER'] ?? '{}');
const bus = await connectBus(redisPort);
const stop = await serveEgress(bus, settings);

async function end(code: number): Promise<void> {
  await stop();
  bus.close();
  await dispose();
  process.exit(code);
}

process.once('SIGTERM', () => void end(0));
void bus.lost.then(() => process.exit(1));
console.log('The development recorder is ready.');
