/** The meeting itself. */

import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { RoomAudioRenderer, useConnectionState, useStartAudio } from '@livekit/components-react';
import { ConnectionState } from 'livekit-client';
import { Volume2, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import type { JoinToken } from '../../../lib/contract/answers.ts';
import { useClub } from '../api/queries.ts';
import { useAccount } from '../auth/account.ts';
import { RecordingBanner } from '../recording/banner.tsx';
import { ConsentInside } from '../recording/consent-dialog.tsx';
import { useHold } from '../recording/hold.ts';
import { useRecordingNotice } from '../recording/notice.ts';
import { RecordingQuestions, useRecordingControl } from '../recording/record-dialog.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { useTitle } from '../ui/screen.tsx';
import { startTheme } from '../ui/theme.ts';
import { ChatPanel, useMeetingChat } from './chat.tsx';
import { ControlBar, type PanelName } from './control-bar.tsx';
import { DeviceDialog } from './device-dialog.tsx';
import type { Trouble } from './joining.ts';
import { LeaveDialog } from './leave-dialog.tsx';
import { usePeople } from './people.ts';
import { PeoplePanel } from './people-panel.tsx';
import { ReactionMenu } from './reaction-menu.tsx';
import { ReactionsProvider, useReactions } from './reactions.ts';
import { ShortcutSheet } from './shortcut-sheet.tsx';
import { type Command, useShortcuts } from './shortcuts.ts';
import { type Layout, Stage } from './stage.tsx';
import { useAnnouncements } from './use-announcements.ts';
import { useControls } from './use-controls.ts';
import './meeting.css';

export function Conference({
  clubId,
  token,
  rejoining,
  onLeave,
  onTryNow,
}: {
  clubId: string;
  token: JoinToken;
  rejoining: { trouble: Trouble | undefined } | undefined;
  onLeave: () => void;
  onTryNow: () => void;
}) {
  const { t } = useLingui();
  const { data: club } = useClub(clubId);
  const controls = useControls();
  const chat = useMeetingChat();
  const reactions = useReactions();
  const people = usePeople();
  const [panel, setPanel] = useState<PanelName>();
  const [layout, setLayout] = useState<Layout>('grid');
  const [dialog, setDialog] = useState<'leave' | 'help' | 'devices' | 'react'>();
  const { isFullScreen, toggleFullScreen } = useFullScreen();
  const [readCount, setReadCount] = useState(0);
  const footer = useRef<HTMLElement>(null);
  useAnnouncements();
  useDarkRoom();
  useTitle(club?.name ?? t`Meeting`);

  const isChatOpen = panel === 'chat';
  useEffect(() => {
    if (isChatOpen) setReadCount(chat.messages.length);
  }, [isChatOpen, chat.messages.length]);

  // The club's record says who moderates; the token said so when it was made.
  const isModerator = club ? club.role !== 'member' : token.isModerator;
  const notice = useRecordingNotice(clubId, token);
  const recording = useRecordingControl({
    clubId,
    meetingId: token.meetingId,
    notice,
    isModerator,
  });
  useHold(notice.mustConsent);
  const showPanel = (name: PanelName) => setPanel((open) => (open === name ? undefined : name));
  const changeLayout = () => setLayout((now) => (now === 'grid' ? 'speaker' : 'grid'));
  const leave = () => (isModerator ? setDialog('leave') : onLeave());

  const act = (command: Command) => {
    const actions: Record<Command, () => void> = {
      microphone: controls.toggleMicrophone,
      camera: controls.toggleCamera,
      screen: controls.toggleSharing,
      hand: controls.toggleHand,
      react: () => setDialog('react'),
      chat: () => showPanel('chat'),
      people: () => showPanel('people'),
      layout: changeLayout,
      fullscreen: toggleFullScreen,
      help: () => setDialog('help'),
    };
    actions[command]();
  };
  const shortcuts = useShortcuts(act);

  return (
    <div className="meeting" data-panel={panel}>
      <RoomAudioRenderer />
      <header className="meeting__header">
        <h1 className="meeting__title">{club?.name ?? t`Meeting`}</h1>
        <span className="soft small meeting__count">
          <Plural value={people.length} one="# person" other="# people" />
        </span>
      </header>
      <main className="meeting__main">
        <Banners rejoining={rejoining} onTryNow={onTryNow} onLeave={onLeave}>
          <RecordingBanner
            notice={notice}
            onStop={recording?.isDisabled === false ? recording.onPress : undefined}
          />
        </Banners>
        <ReactionsProvider value={reactions.shown}>
          <Stage layout={layout} />
        </ReactionsProvider>
      </main>
      {panel && (
        <aside className="panel" aria-label={panel === 'chat' ? t`Chat` : t`People`}>
          <div className="panel__header">
            <h2>{panel === 'chat' ? t`Chat` : t`People`}</h2>
            <AriaButton
              className="panel__close"
              aria-label={t`Close`}
              onPress={() => setPanel(undefined)}
            >
              <X size={20} aria-hidden="true" />
            </AriaButton>
          </div>
          {panel === 'chat' ? (
            <ChatPanel {...chat} />
          ) : (
            <PeoplePanel clubId={clubId} ownRole={club?.role} />
          )}
        </aside>
      )}
      <footer ref={footer} className="meeting__footer">
        <ControlBar
          controls={controls}
          panel={panel}
          onPanel={showPanel}
          layout={layout}
          onLayout={changeLayout}
          isReacting={dialog === 'react'}
          onReact={() => setDialog('react')}
          isFullScreen={isFullScreen}
          onFullScreen={toggleFullScreen}
          onPictureInPicture={document.pictureInPictureEnabled ? pictureInPicture : undefined}
          onSettings={() => setDialog('devices')}
          onHelp={() => setDialog('help')}
          onLeave={leave}
          unread={isChatOpen ? 0 : chat.messages.length - readCount}
          peopleCount={people.length}
          recording={recording}
        />
      </footer>
      <ReactionMenu
        isOpen={dialog === 'react'}
        onClose={() => setDialog(undefined)}
        above={footer}
        onReact={(reaction) => void reactions.react(reaction)}
      />
      <LeaveDialog
        clubId={clubId}
        meetingId={token.meetingId}
        isOpen={dialog === 'leave'}
        onClose={() => setDialog(undefined)}
        onLeave={onLeave}
      />
      {recording && <RecordingQuestions clubId={clubId} {...recording} />}
      <ConsentInside clubId={clubId} isOpen={notice.mustConsent} onLeave={onLeave} />
      <DeviceDialog isOpen={dialog === 'devices'} onClose={() => setDialog(undefined)} />
      <ShortcutSheet
        isOpen={dialog === 'help'}
        onClose={() => setDialog(undefined)}
        isOn={shortcuts.isOn}
        onTurn={shortcuts.turn}
      />
    </div>
  );
}

/** Pictures look best on a dark ground: the meeting is dark in both themes, with its menus and dialogs. */
function useDarkRoom(): void {
  useEffect(() => {
    startTheme('dark');
    return () => startTheme();
  }, []);
}

/** What is wrong with the meeting at this moment. */
function Banners({
  rejoining,
  onTryNow,
  onLeave,
  children,
}: {
  rejoining: { trouble: Trouble | undefined } | undefined;
  onTryNow: () => void;
  onLeave: () => void;
  children: ReactNode;
}) {
  const { t } = useLingui();
  const state = useConnectionState();
  const account = useAccount();
  const { mergedProps, canPlayAudio } = useStartAudioOfRoom();
  const isReconnecting =
    state === ConnectionState.Reconnecting || state === ConnectionState.SignalReconnecting;
  return (
    <div className="meeting__banners">
      {children}
      {rejoining ? (
        <Notice
          tone="failure"
          action={
            <>
              {rejoining.trouble && <Button onPress={onTryNow}>{t`Try now`}</Button>}
              <Button onPress={onLeave}>{t`Leave`}</Button>
            </>
          }
        >
          {rejoining.trouble ? (
            <Trans>The connection is lost, and the service does not answer. Trying again …</Trans>
          ) : (
            <Trans>The connection was lost. Joining again …</Trans>
          )}
        </Notice>
      ) : (
        isReconnecting && (
          <Notice tone="warning">
            <Trans>The connection is interrupted. Reconnecting …</Trans>
          </Notice>
        )
      )}
      {!canPlayAudio && (
        <Notice
          tone="warning"
          action={
            <Button icon={Volume2} onPress={mergedProps.onClick}>
              {t`Switch sound on`}
            </Button>
          }
        >
          <Trans>Your browser blocked the sound.</Trans>
        </Notice>
      )}
      {account.isSessionOver && (
        <Notice tone="warning" action={<Button onPress={account.logIn}>{t`Log in again`}</Button>}>
          <Trans>
            Your session has ended. The meeting goes on; to moderate, log in again and join again.
          </Trans>
        </Notice>
      )}
    </div>
  );
}

function useStartAudioOfRoom() {
  const { mergedProps, canPlayAudio } = useStartAudio({ props: {} });
  return {
    mergedProps: { onClick: () => mergedProps.onClick?.(undefined as never) },
    canPlayAudio,
  };
}

/** Of the whole page: menus and dialogs are outside of the meeting's own element. */
function useFullScreen() {
  const [isFullScreen, setFullScreen] = useState(false);
  useEffect(() => {
    const read = () => setFullScreen(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', read);
    return () => document.removeEventListener('fullscreenchange', read);
  }, []);
  return {
    isFullScreen,
    toggleFullScreen() {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void document.documentElement.requestFullscreen().catch(() => undefined);
    },
  };
}

/** Shows the picture in focus, or the first of another participant, above other windows. */
function pictureInPicture(): void {
  if (document.pictureInPictureElement) {
    void document.exitPictureInPicture();
    return;
  }
  const video = document.querySelector<HTMLVideoElement>(
    '.stage__main video, .tile:not([data-mirrored]) video, .tile video',
  );
  void video?.requestPictureInPicture().catch(() => undefined);
}
