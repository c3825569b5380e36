/** What differs between stages: `/config.json`, read when the page loads, so that one build serves all. */
export interface Config {
  /** Ends in `/api/reading-clubs/meeting`. */
  apiUrl: string;
  identity: {
    issuer: string;
    clientId: string;
    authorizationEndpoint: string;
    tokenEndpoint: string;
    /** Of a Cognito domain; absent where there is none to go to. */
    logoutEndpoint?: string;
  };
  /** `stand-in`: people cannot join a meeting, since it has no signalling. */
  livekit: 'server' | 'stand-in';
  /** What is recorded unless a moderator chooses. */
  recordingDefault: 'video' | 'audio';
}

/** @throws Error when it is not there or not complete */
export async function loadConfig(): Promise<Config> {
  // The head of the page has begun to load it; it is sent with `no-cache`.
  const response = await fetch('/config.json');
  if (!response.ok) throw new Error(`/config.json answers ${response.status}`);
  const config: Partial<Config> = await response.json();
  const { apiUrl, identity, livekit = 'server', recordingDefault = 'video' } = config;
  if (!apiUrl || !identity?.issuer || !identity.clientId) {
    throw new Error('/config.json lacks apiUrl or identity');
  }
  return { apiUrl, identity, livekit, recordingDefault };
}
