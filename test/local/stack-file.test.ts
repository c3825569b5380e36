import { expect, it } from 'vitest';
import { parseStack } from '../../local/stack-file.ts';

it.each([
  ['is cut off', '{ "apiUrl": "http://127.0.0.1:3000'],
  ['is of another version', '{ "apiUrl": "http://127.0.0.1:3000", "livekit": { "apiSecret": 1 } }'],
])('a description that %s is rejected in one line, with what to do', (_, text) => {
  expect(() => parseStack(text)).toThrow(
    /^\.local\/stack\.json is not as this version writes it: stop `npm run dev`, and start it again$/,
  );
});
