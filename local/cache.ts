import { homedir } from 'node:os';
import { join } from 'node:path';

/** What is installed once, outside the tree, is kept here: in the user's cache folder. */
export function cacheFolder({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv = process.env): string {
  const cache = XDG_CACHE_HOME || join(HOME || homedir(), '.cache');
  return join(cache, 'reading-club-meetings');
}
