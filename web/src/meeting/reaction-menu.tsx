import { useLingui } from '@lingui/react/macro';
import { Heart, Laugh, Lightbulb, type LucideIcon, PartyPopper, ThumbsUp } from 'lucide-react';
import type { RefObject } from 'react';
import { Menu as AriaMenu } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { MenuItem } from '../ui/menu.tsx';
import { REACTIONS, type Reaction, type ShownReaction, useReactionNames } from './reactions.ts';

/** Drawn, and no emoji: they look the same everywhere. */
const ICONS: Record<Reaction, LucideIcon> = {
  'thumbs-up': ThumbsUp,
  heart: Heart,
  laugh: Laugh,
  celebrate: PartyPopper,
  idea: Lightbulb,
};

/** Above the controls: a key opens it, too, and on a phone the menu of what is seldom used. */
export function ReactionMenu({
  isOpen,
  onClose,
  above,
  onReact,
}: {
  isOpen: boolean;
  onClose: () => void;
  above: RefObject<HTMLElement | null>;
  onReact: (reaction: Reaction) => void;
}) {
  const { t } = useLingui();
  const names = useReactionNames();
  return (
    <Popover
      className="popover"
      placement="top"
      triggerRef={above}
      isOpen={isOpen}
      onOpenChange={(open) => open || onClose()}
    >
      <AriaMenu className="menu" aria-label={t`Reactions`} autoFocus="first" onClose={onClose}>
        {REACTIONS.map((reaction) => (
          <MenuItem key={reaction} icon={ICONS[reaction]} onAction={() => onReact(reaction)}>
            {names[reaction]}
          </MenuItem>
        ))}
      </AriaMenu>
    </Popover>
  );
}

/** On a tile. It has been read out. */
export function ReactionSign({ reaction }: ShownReaction) {
  const Icon = ICONS[reaction];
  return (
    <div className="tile__reaction" data-reaction={reaction} aria-hidden="true">
      <Icon />
    </div>
  );
}
