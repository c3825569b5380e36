import { Trans, useLingui } from '@lingui/react/macro';
import type { LocalAudioTrack, LocalVideoTrack } from 'livekit-client';
import { ChevronLeft, Mic, MicOff, Video, VideoOff } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { FieldError, Input, Label, TextField } from 'react-aria-components/TextField';
import { ToggleButton } from 'react-aria-components/ToggleButton';
import { Link } from 'wouter';
import { useClub, useMembers, useStatus } from '../api/queries.ts';
import { useAccount } from '../auth/account.ts';
import { useConfig } from '../config-context.ts';
import { LobbyRecording } from '../recording/lobby-recording.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { Button, Spinner } from '../ui/button.tsx';
import { Logo } from '../ui/logo.tsx';
import { Notice } from '../ui/notice.tsx';
import { useTitle } from '../ui/screen.tsx';
import { Select } from '../ui/select.tsx';
import { LevelMeter } from './level-meter.tsx';
import { keepPreferences, readPreferences } from './preferences.ts';
import { ProblemHelp } from './problem-help.tsx';
import { startCamera, startMicrophone, useDevice } from './use-device.ts';
import { useDeviceList } from './use-device-list.ts';
import './lobby.css';

/** The name and devices with which a person joins. */
export interface LobbyChoice {
  /** Undefined: the club's display name. */
  name: string | undefined;
  /** What is on: ready, or still starting; undefined when it does not start. */
  tracks: Promise<LocalVideoTrack | LocalAudioTrack | undefined>[];
  speakerId: string | undefined;
  /** They agree to being recorded in the meeting that is on. */
  hasConsent: boolean;
}

const MAX_NAME_CHARACTERS = 64;
/** Not everywhere: the system chooses there. */
const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

/** Shows people how they look and sound before they join. */
export function Lobby({
  clubId,
  onEnter,
}: {
  clubId: string;
  onEnter: (choice: LobbyChoice) => void;
}) {
  const { t } = useLingui();
  const [remembered] = useState(readPreferences);
  const { data: club } = useClub(clubId);
  const { livekit } = useConfig();
  const camera = useDevice(startCamera, {
    isOn: remembered.isCameraOn,
    deviceId: remembered.cameraId,
  });
  const microphone = useDevice(startMicrophone, {
    isOn: remembered.isMicrophoneOn,
    deviceId: remembered.microphoneId,
  });
  const [speakerId, setSpeakerId] = useState(remembered.speakerId);
  const [typedName, setName] = useState(remembered.name);
  const usualName = useUsualName(clubId);
  const name = typedName ?? usualName;
  const devices = useDeviceList(`${camera.track !== undefined} ${microphone.track !== undefined}`);
  const optionsOf = (kind: MediaDeviceKind) =>
    devices
      .filter((device) => device.kind === kind)
      .map(({ deviceId, label }, index) => ({
        id: deviceId,
        name: label || t`Device ${index + 1}`,
      }));
  useTitle(t`Join the meeting`);

  const { data: status } = useStatus(clubId);
  const mustConsent = status?.mustConsent ?? false;
  const [hasConsent, setConsent] = useState(false);
  const [isConsentMissing, setConsentMissing] = useState(false);

  const isNameTooLong = [...name.trim()].length > MAX_NAME_CHARACTERS;
  const enter = (event: FormEvent) => {
    event.preventDefault();
    if (isNameTooLong) return;
    if (mustConsent && !hasConsent) {
      setConsentMissing(true);
      return;
    }
    keepPreferences({
      isCameraOn: camera.isOn,
      isMicrophoneOn: microphone.isOn,
      cameraId: camera.deviceId,
      microphoneId: microphone.deviceId,
      speakerId,
      name: typedName?.trim() || undefined,
    });
    onEnter({
      name: typedName?.trim() || undefined,
      tracks: [camera.handOver(), microphone.handOver()].filter((track) => track !== undefined),
      speakerId,
      hasConsent: mustConsent && hasConsent,
    });
  };

  return (
    <div className="lobby">
      <header className="lobby__header">
        <Link href={`/clubs/${clubId}`} className="lobby__back">
          <ChevronLeft size={20} aria-hidden="true" />
          <Trans>Back to the club</Trans>
        </Link>
        <Logo />
      </header>
      <main className="lobby__main">
        <section className="lobby__preview" aria-label={t`Preview`}>
          <Preview track={camera.track} isStarting={camera.isStarting} name={name} />
          <div className="lobby__toggles">
            <ToggleButton
              className="round"
              isSelected={microphone.isOn}
              onChange={microphone.turn}
              aria-label={t`Microphone`}
            >
              {microphone.isOn ? <Mic aria-hidden="true" /> : <MicOff aria-hidden="true" />}
            </ToggleButton>
            <ToggleButton
              className="round"
              isSelected={camera.isOn}
              onChange={camera.turn}
              aria-label={t`Camera`}
            >
              {camera.isOn ? <Video aria-hidden="true" /> : <VideoOff aria-hidden="true" />}
            </ToggleButton>
          </div>
        </section>
        <form className="lobby__form" onSubmit={enter}>
          <div>
            <p className="soft">{club?.name}</p>
            <h1 className="lobby__title">
              <Trans>Ready to join?</Trans>
            </h1>
          </div>
          {livekit === 'stand-in' && (
            <Notice tone="warning">
              <Trans>This stack has a stand-in for LiveKit: joining does not work here.</Trans>
            </Notice>
          )}
          <TextField
            className="field"
            value={name}
            onChange={setName}
            isInvalid={isNameTooLong}
            autoComplete="nickname"
          >
            <Label className="field__label">{t`Your name in the meeting`}</Label>
            <Input className="field__input" />
            <FieldError className="field__error">
              {t`A name has at most ${MAX_NAME_CHARACTERS} characters.`}
            </FieldError>
          </TextField>
          <div className="lobby__device">
            <Select
              label={t`Microphone`}
              options={optionsOf('audioinput')}
              selected={microphone.deviceId ?? deviceOf(microphone.track)}
              onSelect={microphone.choose}
              placeholder={t`The system’s microphone`}
            />
            <LevelMeter track={microphone.track} />
            <ProblemHelp kind="microphone" {...microphone} />
          </div>
          <div className="lobby__device">
            <Select
              label={t`Camera`}
              options={optionsOf('videoinput')}
              selected={camera.deviceId ?? deviceOf(camera.track)}
              onSelect={camera.choose}
              placeholder={t`The system’s camera`}
            />
            <ProblemHelp kind="camera" {...camera} />
          </div>
          {canChooseSpeaker && (
            <Select
              label={t`Speaker`}
              options={optionsOf('audiooutput')}
              selected={speakerId}
              onSelect={setSpeakerId}
              placeholder={t`The system’s speaker`}
            />
          )}
          {status?.recording && (
            <LobbyRecording
              clubId={clubId}
              mustConsent={mustConsent}
              hasConsent={hasConsent}
              onConsent={setConsent}
              isConsentMissing={isConsentMissing && !hasConsent}
            />
          )}
          <Button type="submit" look="primary" className="lobby__join">
            {camera.isOn || microphone.isOn ? t`Join now` : t`Join without camera and microphone`}
          </Button>
        </form>
      </main>
    </div>
  );
}

const deviceOf = (track: LocalVideoTrack | LocalAudioTrack | undefined): string | undefined =>
  track?.mediaStreamTrack.getSettings().deviceId;

/** The one that the club knows, else the pool's if it is no address. */
function useUsualName(clubId: string): string {
  const { userId, name } = useAccount();
  const { data: members } = useMembers(clubId);
  const known = members?.find((member) => member.userId === userId)?.displayName;
  return known ?? (name.includes('@') ? '' : name);
}

function Preview({
  track,
  isStarting,
  name,
}: {
  track: LocalVideoTrack | undefined;
  isStarting: boolean;
  name: string;
}) {
  const { userId } = useAccount();
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element || !track) return;
    track.attach(element);
    return () => {
      track.detach(element);
    };
  }, [track]);
  if (track) {
    return <video ref={video} className="lobby__video" autoPlay muted playsInline tabIndex={-1} />;
  }
  return (
    <div className="lobby__video lobby__video--off">
      {isStarting ? <Spinner /> : <Avatar id={userId} name={name} size="large" />}
    </div>
  );
}
