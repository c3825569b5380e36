/** Everybody's pictures: a grid that pages, or one large and the others beside it. */

import { useLingui } from '@lingui/react/macro';
import {
  type TrackReferenceOrPlaceholder,
  useGridLayout,
  usePagination,
  useSpeakingParticipants,
  useTracks,
} from '@livekit/components-react';
import { type Participant, RoomEvent, Track } from 'livekit-client';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { isPerson } from './people.ts';
import { Tile } from './tile.tsx';

export type Layout = 'grid' | 'speaker';

/** As many pictures as stay recognizable at that width. */
const GRIDS = [
  { columns: 1, rows: 1 },
  { columns: 1, rows: 2, orientation: 'portrait' as const },
  { columns: 2, rows: 1, orientation: 'landscape' as const },
  { columns: 2, rows: 2, minWidth: 280 },
  { columns: 2, rows: 3, minWidth: 280, orientation: 'portrait' as const },
  { columns: 3, rows: 2, minWidth: 560, orientation: 'landscape' as const },
  { columns: 3, rows: 3, minWidth: 700 },
  { columns: 4, rows: 4, minWidth: 1000 },
  { columns: 5, rows: 5, minWidth: 1400 },
];

/** Who speaks is shown large; a cough does not change that. */
const SPEAKER_AFTER_MS = 1_200;

const idOf = ({ participant, source }: TrackReferenceOrPlaceholder) =>
  `${participant.identity} ${source}`;

export function Stage({ layout }: { layout: Layout }) {
  const all = useTracks(
    [
      { source: Track.Source.Camera, withPlaceholder: true },
      { source: Track.Source.ScreenShare, withPlaceholder: false },
    ],
    { onlySubscribed: false, updateOnlyOn: [RoomEvent.ActiveSpeakersChanged] },
  );
  const tracks = all.filter(({ participant }) => isPerson(participant));
  const [pinnedId, setPinnedId] = useState<string>();
  const speaker = useMainSpeaker();
  const pinned = tracks.find((track) => idOf(track) === pinnedId);
  const screen = tracks.find(({ source }) => source === Track.Source.ScreenShare);
  const focused = pinned ?? screen ?? (layout === 'speaker' ? mainOf(tracks, speaker) : undefined);
  const pin = (track: TrackReferenceOrPlaceholder) =>
    setPinnedId((id) => (id === idOf(track) ? undefined : idOf(track)));
  if (!focused || tracks.length === 1)
    return <Grid tracks={tracks} pinnedId={pinnedId} onPin={pin} />;
  return (
    <Focus
      focused={focused}
      others={tracks.filter((track) => idOf(track) !== idOf(focused))}
      pinnedId={pinnedId}
      onPin={pin}
    />
  );
}

interface TilesProps {
  pinnedId: string | undefined;
  onPin: (track: TrackReferenceOrPlaceholder) => void;
}

function Grid({ tracks, pinnedId, onPin }: TilesProps & { tracks: TrackReferenceOrPlaceholder[] }) {
  const { t } = useLingui();
  const element = useRef<HTMLDivElement>(null);
  const { layout } = useGridLayout(element as RefObject<HTMLDivElement>, tracks.length, {
    gridLayouts: GRIDS,
  });
  const page = usePagination(layout.maxTiles, tracks);
  return (
    <div className="stage">
      <div ref={element} className="stage__grid">
        <ul className="tiles" aria-label={t`People in the meeting`}>
          {page.tracks.map((track) => (
            <Tile
              key={idOf(track)}
              trackRef={track}
              isPinned={pinnedId === idOf(track)}
              onPin={() => onPin(track)}
            />
          ))}
        </ul>
      </div>
      {page.totalPageCount > 1 && (
        <nav className="stage__pages" aria-label={t`Pages of people`}>
          <AriaButton
            className="stage__page"
            aria-label={t`Previous page`}
            isDisabled={page.currentPage === 1}
            onPress={page.prevPage}
          >
            <ChevronLeft aria-hidden="true" />
          </AriaButton>
          <span aria-live="polite">{t`Page ${page.currentPage} of ${page.totalPageCount}`}</span>
          <AriaButton
            className="stage__page"
            aria-label={t`Next page`}
            isDisabled={page.currentPage === page.totalPageCount}
            onPress={page.nextPage}
          >
            <ChevronRight aria-hidden="true" />
          </AriaButton>
        </nav>
      )}
    </div>
  );
}

function Focus({
  focused,
  others,
  pinnedId,
  onPin,
}: TilesProps & { focused: TrackReferenceOrPlaceholder; others: TrackReferenceOrPlaceholder[] }) {
  const { t } = useLingui();
  return (
    <div className="stage stage--focus">
      <ul className="stage__main" aria-label={t`In focus`}>
        <Tile
          key={idOf(focused)}
          trackRef={focused}
          isPinned={pinnedId === idOf(focused)}
          onPin={() => onPin(focused)}
        />
      </ul>
      {others.length > 0 && (
        <ul className="stage__strip" aria-label={t`Other people in the meeting`}>
          {others.map((track) => (
            <Tile
              key={idOf(track)}
              trackRef={track}
              isPinned={pinnedId === idOf(track)}
              onPin={() => onPin(track)}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

/** The one who speaks, else the first who is not oneself. */
const mainOf = (tracks: TrackReferenceOrPlaceholder[], speaker: Participant | undefined) =>
  tracks.find(({ participant }) => participant.identity === speaker?.identity) ??
  tracks.find(({ participant }) => !participant.isLocal) ??
  tracks[0];

/** The participant who has spoken for a while, until another one has. */
function useMainSpeaker(): Participant | undefined {
  const [loudest] = useSpeakingParticipants().filter(
    (participant) => !participant.isLocal && isPerson(participant),
  );
  const [speaker, setSpeaker] = useState<Participant>();
  useEffect(() => {
    if (!loudest) return;
    const timer = setTimeout(() => setSpeaker(loudest), SPEAKER_AFTER_MS);
    return () => clearTimeout(timer);
  }, [loudest]);
  return speaker;
}
