/** What the built page may load, and whom it may call; the server in front of it sends this. */

/**
 * The rule that React Aria adds for touch: `[data-react-aria-pressable] { touch-action: pan-x pan-y pinch-zoom; }`.
 * A test in the browser fails when a version of it changes the rule.
 */
const REACT_ARIA_STYLE = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='";

export interface Origins {
  api: string;
  /** Of the user pool's token endpoint. */
  identity: string;
  /** WebSocket and http(s): the client asks over the second why the first failed. */
  livekit: string[];
  /** Of the bucket from which recordings are played. */
  recordings: string;
}

/** The value of `Content-Security-Policy`. */
export const contentSecurityPolicy = ({ api, identity, livekit, recordings }: Origins): string =>
  Object.entries({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': `'self' ${REACT_ARIA_STYLE}`,
    'font-src': "'self'",
    'img-src': "'self'",
    'media-src': `'self' blob: ${recordings}`,
    'connect-src': ["'self'", api, identity, ...livekit].join(' '),
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
  })
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
