/** For the built page; Vite's development page has inline scripts, and none of this. */

/** The one inline style of React Aria Components 1.22: its touch-action rule. */
const TOUCH_ACTION_STYLE = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='";

/** @param origins that the page calls: the API's, the user pool's, LiveKit's (https and wss) */
export const contentSecurityPolicy = (origins: string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' ${TOUCH_ACTION_STYLE}`,
    "img-src 'self'",
    "media-src 'self' blob:",
    `connect-src 'self' ${origins.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
