import { ParticipantKind } from 'livekit-client';
import { expect, test } from 'vitest';
import { isGuest, isPerson, nameOf } from './people.ts';

test.each([
  ['STANDARD', true, false],
  ['SIP', true, true],
  ['CONNECTOR', true, true],
  ['AGENT', false, false],
  ['EGRESS', false, false],
  ['INGRESS', false, false],
] as const)('%s: a person is %s, a guest is %s', (kind, person, guest) => {
  expect(isPerson({ kind: ParticipantKind[kind] })).toBe(person);
  expect(isGuest({ kind: ParticipantKind[kind] })).toBe(guest);
});

test('who has no name to see is shown by their identity', () => {
  expect(nameOf({ name: ' Ada ', identity: 'u1' })).toBe('Ada');
  expect(nameOf({ name: '  ', identity: 'u1' })).toBe('u1');
  expect(nameOf({ name: undefined, identity: 'u1' } as never)).toBe('u1');
});
