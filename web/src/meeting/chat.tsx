import { Trans, useLingui } from '@lingui/react/macro';
import { type ReceivedChatMessage, useChat } from '@livekit/components-react';
import { SendHorizontal } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Input, TextField } from 'react-aria-components/TextField';
import { useFormat } from '../i18n/format.ts';
import { announce, notify } from '../ui/announcer.tsx';
import { nameOf } from './people.ts';

const MAX_CHARACTERS = 2_000;

export interface Chat {
  messages: ReceivedChatMessage[];
  send(text: string): Promise<void>;
  isSending: boolean;
}

/** Messages of this stay: LiveKit keeps none for later. Those of others are read out. */
export function useMeetingChat(): Chat {
  const { t } = useLingui();
  const { chatMessages, send, isSending } = useChat();
  const count = useRef(0);
  useEffect(() => {
    for (const { message, from } of chatMessages.slice(count.current)) {
      const name = from ? nameOf(from) : t`Somebody`;
      if (!from?.isLocal) announce(t`${name} writes: ${message}`);
    }
    count.current = chatMessages.length;
  }, [chatMessages, t]);
  return {
    messages: chatMessages,
    isSending,
    send: async (text) => {
      await send(text);
    },
  };
}

export function ChatPanel({ messages, send, isSending }: Chat) {
  const { t } = useLingui();
  const { time } = useFormat();
  const [text, setText] = useState('');
  const end = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message scrolls into view.
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
  }, [messages.length]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const trimmed = text.trim().slice(0, MAX_CHARACTERS);
    if (!trimmed) return;
    try {
      await send(trimmed);
      setText('');
    } catch {
      notify(t`The message was not sent. Try again.`, 'failure');
    }
  };
  return (
    <div className="chat">
      {messages.length === 0 ? (
        <p className="panel__empty">
          <Trans>No messages yet. They are gone when the meeting ends.</Trans>
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard.
        <ol className="chat__messages" tabIndex={0} aria-label={t`Messages`}>
          {messages.map(({ id, timestamp, message, from }) => (
            <li
              key={id ?? timestamp}
              className="chat__message"
              data-own={from?.isLocal || undefined}
            >
              <span className="chat__meta">
                <strong>{from?.isLocal ? t`You` : from ? nameOf(from) : t`Somebody`}</strong>{' '}
                {time(new Date(timestamp).toISOString())}
              </span>
              <span className="chat__text">{message}</span>
            </li>
          ))}
        </ol>
      )}
      <div ref={end} />
      <form className="chat__form" onSubmit={(event) => void submit(event)}>
        <TextField
          aria-label={t`Message to everybody`}
          value={text}
          onChange={setText}
          className="chat__field"
          maxLength={MAX_CHARACTERS}
          autoComplete="off"
        >
          <Input className="field__input" placeholder={t`Message to everybody`} />
        </TextField>
        <AriaButton type="submit" className="chat__send" aria-label={t`Send`} isPending={isSending}>
          <SendHorizontal size={20} aria-hidden="true" />
        </AriaButton>
      </form>
    </div>
  );
}
