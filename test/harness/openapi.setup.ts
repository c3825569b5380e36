/** For every test that gets answers: what did not fit docs/openapi.json fails it. */
import { afterAll, afterEach, expect } from 'vitest';
import { takeMisfits } from './openapi.ts';

const expectFit = () =>
  expect(takeMisfits(), 'answers that docs/openapi.json does not have').toEqual([]);

afterEach(expectFit);
// Answers that came after the last test, as to a webhook.
afterAll(expectFit);
