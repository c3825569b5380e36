import { useLingui } from '@lingui/react/macro';
import { RoomContext } from '@livekit/components-react';
import { CloudOff } from 'lucide-react';
import { Lobby } from '../lobby/lobby.tsx';
import { OutScreen } from '../outcomes/out-screen.tsx';
import { ConsentDialog } from '../recording/consent-dialog.tsx';
import { Button } from '../ui/button.tsx';
import { Screen } from '../ui/screen.tsx';
import { Splash } from '../ui/splash.tsx';
import { Conference } from './conference.tsx';
import type { Trouble } from './joining.ts';
import { type Meeting, useMeeting } from './use-meeting.ts';

/** From the lobby to the screen that says how it ended. */
export function Meet({ clubId }: { clubId: string }) {
  const meeting = useMeeting(clubId);
  return (
    <>
      <Part clubId={clubId} {...meeting} />
      <ConsentDialog
        clubId={clubId}
        isOpen={meeting.isConsentAsked}
        isInside={false}
        onAgree={() => meeting.answerConsent(true)}
        onDecline={() => meeting.answerConsent(false)}
      />
    </>
  );
}

function Part({
  clubId,
  phase,
  room,
  enter,
  leave,
  tryNow,
  backToLobby,
}: Meeting & { clubId: string }) {
  switch (phase.at) {
    case 'lobby':
      return <Lobby clubId={clubId} onEnter={enter} />;
    case 'joining':
      return phase.trouble ? (
        <JoinTrouble trouble={phase.trouble} onTryNow={tryNow} onCancel={backToLobby} />
      ) : (
        <Splash />
      );
    case 'in':
      return (
        <RoomContext.Provider value={room}>
          <Conference
            clubId={clubId}
            token={phase.token}
            rejoining={phase.rejoining}
            onLeave={leave}
            onTryNow={tryNow}
          />
        </RoomContext.Provider>
      );
    case 'out':
      return <OutScreen clubId={clubId} exit={phase.exit} onRejoin={backToLobby} />;
  }
}

function JoinTrouble({
  trouble,
  onTryNow,
  onCancel,
}: {
  trouble: Trouble;
  onTryNow: () => void;
  onCancel: () => void;
}) {
  const { t } = useLingui();
  return (
    <Screen
      icon={CloudOff}
      tone="alert"
      title={
        trouble.side === 'livekit'
          ? t`The meeting server does not answer`
          : t`The service does not answer`
      }
      actions={
        <>
          <Button look="primary" onPress={onTryNow}>{t`Try now`}</Button>
          <Button onPress={onCancel}>{t`Back`}</Button>
        </>
      }
    >
      <p role="status">{t`You will be let in as soon as it answers. Attempts so far: ${trouble.attempt}`}</p>
    </Screen>
  );
}
