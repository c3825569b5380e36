import { expect, test } from 'vitest';
import { commandOf } from './shortcuts.ts';

const press = (key: string, changes: Partial<Parameters<typeof commandOf>[0]> = {}) =>
  commandOf({
    key,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    repeat: false,
    target: document.body,
    ...changes,
  });

test('a key is a command, in small and capital letters', () => {
  expect(press('m')).toBe('microphone');
  expect(press('M')).toBe('microphone');
  expect(press('?')).toBe('help');
  expect(press('x')).toBeUndefined();
});

test.each(['ctrlKey', 'metaKey', 'altKey', 'repeat'])('with %s it is none', (modifier) => {
  expect(press('c', { [modifier]: true })).toBeUndefined();
});

test.each([
  '<input>',
  '<textarea></textarea>',
  '<div role="dialog"><button></button></div>',
  '<div role="alertdialog"><button></button></div>',
  '<div role="menu"><div></div></div>',
  '<div role="listbox"><div></div></div>',
])('inside of %s it is none', (html) => {
  document.body.innerHTML = html;
  const target = document.body.querySelector('input, textarea, button, div div');
  expect(press('m', { target })).toBeUndefined();
});
