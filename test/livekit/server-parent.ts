/** A process that starts a LiveKit server and then only waits, for a test to kill it. */
import { findLiveKitServer, startLiveKitServer } from '../../local/livekit/server.ts';

const { pid } = await startLiveKitServer({
  binary: findLiveKitServer() ?? '',
  apiKeys: { devkey: 'a-secret-that-only-this-test-knows' },
});
process.send?.(pid);
