/** Reactions: a sign over one's own picture for some seconds. LiveKit carries them, and keeps none. */
import { useLingui } from '@lingui/react/macro';
import { useRoomContext } from '@livekit/components-react';
import { type Participant, RoomEvent } from 'livekit-client';
import { createContext, useContext, useEffect, useEffectEvent, useRef, useState } from 'react';
import { announce, notify } from '../ui/announcer.tsx';
import { isPerson, nameOf } from './people.ts';

/** The data message's topic; its text is one of the names. */
const TOPIC = 'reaction';
export const REACTIONS = ['thumbs-up', 'heart', 'laugh', 'celebrate', 'idea'] as const;
export type Reaction = (typeof REACTIONS)[number];

const SHOWN_MS = 5_000;
/** Between two reactions of one person. Receivers drop earlier ones as well: others may use another client. */
const LEAST_GAP_MS = 1_000;

/** What a person shows; the same reaction anew is another object. */
export interface ShownReaction {
  reaction: Reaction;
}
const ShownReactions = createContext<ReadonlyMap<string, ShownReaction>>(new Map());
export const ReactionsProvider = ShownReactions.Provider;
export const useReactionOf = ({ identity }: Pick<Participant, 'identity'>) =>
  useContext(ShownReactions).get(identity);

/** What a message says, if it is a reaction: nothing else of it gets anywhere. */
function reactionIn(payload: Uint8Array): Reaction | undefined {
  const text = new TextDecoder().decode(payload);
  return REACTIONS.find((reaction) => reaction === text);
}

export function useReactionNames(): Record<Reaction, string> {
  const { t } = useLingui();
  return {
    'thumbs-up': t`Thumbs up`,
    heart: t`Heart`,
    laugh: t`Laughter`,
    celebrate: t`Celebration`,
    idea: t`Good idea`,
  };
}

/** Everybody's reactions of these seconds, and sending one. */
export function useReactions() {
  const { t } = useLingui();
  const names = useReactionNames();
  const room = useRoomContext();
  const [shown, setShown] = useState<ReadonlyMap<string, ShownReaction>>(new Map());
  const showing = useRef(
    new Map<string, { sinceMs: number; timer: ReturnType<typeof setTimeout> }>(),
  );

  /** @returns whether it is shown, and not too soon after the last one of the same person */
  const show = (participant: Participant, reaction: Reaction): boolean => {
    const { identity } = participant;
    const last = showing.current.get(identity);
    const sinceMs = performance.now();
    if (last && sinceMs - last.sinceMs < LEAST_GAP_MS) return false;
    clearTimeout(last?.timer);
    const timer = setTimeout(() => {
      showing.current.delete(identity);
      setShown((before) => new Map([...before].filter(([other]) => other !== identity)));
    }, SHOWN_MS);
    showing.current.set(identity, { sinceMs, timer });
    setShown((before) => new Map(before).set(identity, { reaction }));
    // Repeated reactions of one person are read out once.
    const name = participant.isLocal ? t`You` : nameOf(participant);
    const sign = names[reaction];
    if (!last) announce(t`${name}: ${sign}`);
    return true;
  };

  const onData = useEffectEvent(
    (payload: Uint8Array, participant: Participant | undefined, topic: string | undefined) => {
      if (topic !== TOPIC || !participant || !isPerson(participant)) return;
      const reaction = reactionIn(payload);
      if (reaction) show(participant, reaction);
    },
  );
  useEffect(() => {
    const listen = (
      payload: Uint8Array,
      participant: Participant | undefined,
      _: unknown,
      topic: string | undefined,
    ) => onData(payload, participant, topic);
    room.on(RoomEvent.DataReceived, listen);
    return () => {
      room.off(RoomEvent.DataReceived, listen);
    };
  }, [room]);
  useEffect(() => {
    const timers = showing.current;
    return () => {
      for (const { timer } of timers.values()) clearTimeout(timer);
    };
  }, []);

  const react = async (reaction: Reaction) => {
    const { localParticipant } = room;
    if (!show(localParticipant, reaction)) return;
    try {
      const payload = new TextEncoder().encode(reaction);
      await localParticipant.publishData(payload, { reliable: true, topic: TOPIC });
    } catch {
      notify(t`The reaction was not sent. Try again.`, 'failure');
    }
  };
  return { shown, react };
}
