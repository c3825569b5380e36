/** Plays a file whose addresses work for some minutes only. No React in here. */
import type { RecordingDownload } from '../../../lib/contract/answers.ts';

export type PlaybackState = { at: 'loading' | 'ready' } | { at: 'failed'; error: unknown };

export interface Playback {
  /** After a failure: at the same second. */
  retry(): void;
  stop(): void;
}

/** The address is not used in its last seconds: a request takes a moment. */
const MARGIN_MS = 5_000;
/** How often a file that does not play gets a new address, before that is said. */
const RENEWALS = 1;

/**
 * Asks for an address, and for another one when playing or seeking finds it too old, or when the file does
 * not load (any more). Playback goes on at the same second, or waits there if it was paused.
 */
export function startPlayback(
  media: HTMLMediaElement,
  {
    getAddress,
    onState,
    now = () => Date.now(),
  }: {
    getAddress: () => Promise<Pick<RecordingDownload, 'url' | 'expiresAt'>>;
    onState: (state: PlaybackState) => void;
    now?: () => number;
  },
): Playback {
  const stopped = new AbortController();
  const { signal } = stopped;
  let position = 0;
  let isWanted = true;
  let expiresAt = 0;
  let isRenewing = false;
  /** Since it last went on. */
  let renewals = 0;

  async function renew(): Promise<void> {
    if (isRenewing) return;
    isRenewing = true;
    onState({ at: 'loading' });
    try {
      const address = await getAddress();
      if (signal.aborted) return;
      const until = Date.parse(address.expiresAt) - MARGIN_MS;
      // A clock that is wrong by minutes says nothing of it: then failures alone do.
      expiresAt = until > now() ? until : Number.POSITIVE_INFINITY;
      media.src = address.url;
      await once(media, 'loadedmetadata', signal);
      if (position > 0) {
        media.currentTime = position;
        await once(media, 'seeked', signal);
      }
      if (isWanted) await media.play();
      onState({ at: 'ready' });
    } catch (error) {
      if (signal.aborted) return;
      // The file is there: the browser wants the person to press play, or they have just paused.
      onState(error instanceof DOMException ? { at: 'ready' } : { at: 'failed', error });
    } finally {
      isRenewing = false;
    }
  }

  const renewIfOld = () => {
    if (!isRenewing && now() >= expiresAt) void renew();
  };
  const listeners = {
    play() {
      if (isRenewing) return;
      isWanted = true;
      renewIfOld();
    },
    pause() {
      if (!isRenewing) isWanted = false;
    },
    seeking() {
      if (isRenewing) return;
      position = media.currentTime;
      renewIfOld();
    },
    timeupdate() {
      if (isRenewing || media.readyState === media.HAVE_NOTHING) return;
      position = media.currentTime;
      if (!media.paused) renewals = 0;
    },
    error() {
      if (isRenewing) return;
      if (renewals < RENEWALS) {
        renewals += 1;
        void renew();
      } else {
        onState({ at: 'failed', error: media.error });
      }
    },
  };
  for (const [name, listener] of Object.entries(listeners)) {
    media.addEventListener(name, listener, { signal });
  }
  void renew();
  return {
    retry: () => void renew(),
    stop() {
      stopped.abort();
      media.removeAttribute('src');
      media.load();
    },
  };
}

/** @throws MediaError when the file does not load */
const once = (media: HTMLMediaElement, event: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const over = new AbortController();
    const options = { signal: AbortSignal.any([over.signal, signal]) };
    const settle = (then: () => void) => () => {
      over.abort();
      then();
    };
    media.addEventListener(event, settle(resolve), options);
    media.addEventListener(
      'error',
      settle(() => reject(media.error)),
      options,
    );
    signal.addEventListener(
      'abort',
      settle(() => reject(signal.reason)),
      { signal: over.signal },
    );
  });
