/** Single keys, as people know them from other meetings. WCAG 2.1.4: they can be switched off. */
import { useEffect, useEffectEvent, useState } from 'react';

export type Command =
  | 'microphone'
  | 'camera'
  | 'screen'
  | 'hand'
  | 'react'
  | 'chat'
  | 'people'
  | 'layout'
  | 'fullscreen'
  | 'help';

/** By `KeyboardEvent.key`, so that a key is where the reader's own keyboard has it. */
export const KEYS: Record<string, Command> = {
  m: 'microphone',
  v: 'camera',
  s: 'screen',
  h: 'hand',
  r: 'react',
  c: 'chat',
  p: 'people',
  l: 'layout',
  f: 'fullscreen',
  '?': 'help',
};

const STORED = 'shortcuts';

/** Undefined while the person types or uses a menu or dialog, and for the shortcuts of other programs. */
export function commandOf(event: {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  repeat: boolean;
  target: EventTarget | null;
}): Command | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return undefined;
  const isElsewhere =
    event.target instanceof Element &&
    event.target.closest(
      'input, textarea, select, [role=menu], [role=listbox], [role=dialog], [role=alertdialog]',
    );
  return isElsewhere ? undefined : KEYS[event.key.toLowerCase()];
}

export function useShortcuts(act: (command: Command) => void) {
  const onCommand = useEffectEvent(act);
  const [isOn, setOn] = useState(() => localStorage.getItem(STORED) !== 'off');
  useEffect(() => {
    if (!isOn) return;
    const onKeyDown = (event: KeyboardEvent) => {
      const command = commandOf(event);
      if (!command) return;
      event.preventDefault();
      onCommand(command);
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [isOn]);
  return {
    isOn,
    turn(on: boolean) {
      localStorage.setItem(STORED, on ? 'on' : 'off');
      setOn(on);
    },
  };
}
