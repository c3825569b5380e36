import { Trans, useLingui } from '@lingui/react/macro';
import {
  CircleDot,
  EllipsisVertical,
  Expand,
  Hand,
  Keyboard,
  LayoutGrid,
  type LucideIcon,
  MessageSquare,
  Mic,
  MicOff,
  MonitorUp,
  PhoneOff,
  PictureInPicture2,
  Settings,
  Shrink,
  SmilePlus,
  SquareUser,
  Users,
  Video,
  VideoOff,
} from 'lucide-react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { ToggleButton } from 'react-aria-components/ToggleButton';
import { Tooltip, TooltipTrigger } from 'react-aria-components/Tooltip';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu.tsx';
import { useMedia } from '../ui/use-media.ts';
import type { Layout } from './stage.tsx';
import type { Controls } from './use-controls.ts';

export type PanelName = 'chat' | 'people';

export interface ControlBarProps {
  controls: Controls;
  panel: PanelName | undefined;
  onPanel: (panel: PanelName) => void;
  layout: Layout;
  onLayout: () => void;
  isReacting: boolean;
  onReact: () => void;
  isFullScreen: boolean;
  onFullScreen: () => void;
  onPictureInPicture: (() => void) | undefined;
  onSettings: () => void;
  onHelp: () => void;
  onLeave: () => void;
  unread: number;
  peopleCount: number;
  /** Of moderators. */
  recording: RecordingControl | undefined;
}

/** Starts and stops a recording, each after a question. */
export interface RecordingControl {
  isOn: boolean;
  /** Its file is being completed. */
  isSaving: boolean;
  isDisabled: boolean;
  onPress: () => void;
}

/** All that one does in a meeting. On a phone, what is seldom used is in the menu. */
export function ControlBar(props: ControlBarProps) {
  const { t } = useLingui();
  const isNarrow = useMedia('(width < 48rem)');
  const { controls, panel, onPanel, unread, peopleCount, recording, onLeave } = props;
  const canShare = 'getDisplayMedia' in (navigator.mediaDevices ?? {});
  return (
    <div className="bar" role="toolbar" aria-label={t`Meeting controls`}>
      <Control
        label={t`Microphone`}
        hint="M"
        isOn={controls.isMicrophoneOn}
        on={Mic}
        off={MicOff}
        isAlert
        onPress={controls.toggleMicrophone}
      />
      <Control
        label={t`Camera`}
        hint="V"
        isOn={controls.isCameraOn}
        on={Video}
        off={VideoOff}
        isAlert
        onPress={controls.toggleCamera}
      />
      {canShare && !isNarrow && (
        <Control
          label={t`Share your screen`}
          hint="S"
          isOn={controls.isSharing}
          on={MonitorUp}
          onPress={controls.toggleSharing}
        />
      )}
      <Control
        label={t`Raise your hand`}
        hint="H"
        isOn={controls.isHandUp}
        on={Hand}
        onPress={controls.toggleHand}
      />
      {!isNarrow && (
        <Control
          label={t`React`}
          hint="R"
          isOn={props.isReacting}
          on={SmilePlus}
          onPress={props.onReact}
        />
      )}
      {recording && !isNarrow && (
        <Control
          label={recording.isSaving ? t`The recording is being saved` : t`Record the meeting`}
          className="control--record"
          isOn={recording.isOn}
          isDisabled={recording.isDisabled}
          on={CircleDot}
          onPress={recording.onPress}
        />
      )}
      {!isNarrow && <span className="bar__gap" />}
      <Control
        label={unread > 0 ? t`Chat, ${unread} unread` : t`Chat`}
        hint="C"
        isOn={panel === 'chat'}
        on={MessageSquare}
        badge={unread > 0 ? unread : undefined}
        onPress={() => onPanel('chat')}
      />
      <Control
        label={t`People, ${peopleCount}`}
        hint="P"
        isOn={panel === 'people'}
        on={Users}
        badge={peopleCount}
        onPress={() => onPanel('people')}
      />
      <MoreMenu {...props} canShare={canShare} isNarrow={isNarrow} />
      <AriaButton className="bar__leave" onPress={onLeave}>
        <PhoneOff size={20} aria-hidden="true" />
        <span className="bar__leave-word">
          <Trans>Leave</Trans>
        </span>
      </AriaButton>
    </div>
  );
}

function Control({
  label,
  hint,
  isOn,
  on: On,
  off: Off = On,
  isAlert = false,
  badge,
  className = '',
  isDisabled = false,
  onPress,
}: {
  label: string;
  /** Its key. */
  hint?: string;
  isOn: boolean;
  on: LucideIcon;
  off?: LucideIcon;
  /** Coloured while it is off, since the others cannot hear or see the person then. */
  isAlert?: boolean;
  badge?: number | undefined;
  className?: string;
  isDisabled?: boolean;
  onPress: () => void;
}) {
  const Icon = isOn ? On : Off;
  return (
    <TooltipTrigger delay={500}>
      <ToggleButton
        className={`control ${isAlert ? 'control--alert' : ''} ${className}`}
        isSelected={isOn}
        isDisabled={isDisabled}
        onChange={onPress}
        aria-label={label}
      >
        <Icon size={22} aria-hidden="true" />
        {badge !== undefined && (
          <span className="control__badge" aria-hidden="true">
            {badge}
          </span>
        )}
      </ToggleButton>
      <Tooltip className="tooltip" offset={8}>
        {label} {hint && <kbd>{hint}</kbd>}
      </Tooltip>
    </TooltipTrigger>
  );
}

function MoreMenu({
  controls,
  onReact,
  layout,
  onLayout,
  isFullScreen,
  onFullScreen,
  onPictureInPicture,
  onSettings,
  onHelp,
  recording,
  canShare,
  isNarrow,
}: ControlBarProps & { canShare: boolean; isNarrow: boolean }) {
  const { t } = useLingui();
  return (
    <Menu
      label={t`More`}
      trigger={
        <AriaButton className="control" aria-label={t`More`}>
          <EllipsisVertical size={22} aria-hidden="true" />
        </AriaButton>
      }
    >
      {isNarrow && canShare && (
        <MenuItem icon={MonitorUp} onAction={controls.toggleSharing}>
          {controls.isSharing ? t`Stop sharing` : t`Share your screen`}
        </MenuItem>
      )}
      {isNarrow && (
        <MenuItem icon={SmilePlus} onAction={onReact}>
          {t`React`}
        </MenuItem>
      )}
      {isNarrow && recording && (
        <MenuItem icon={CircleDot} isDisabled={recording.isDisabled} onAction={recording.onPress}>
          {recording.isOn ? t`Stop recording` : t`Record the meeting`}
        </MenuItem>
      )}
      <MenuItem icon={layout === 'grid' ? SquareUser : LayoutGrid} onAction={onLayout}>
        {layout === 'grid' ? t`Show the speaker large` : t`Show everybody`}
      </MenuItem>
      <MenuItem icon={isFullScreen ? Shrink : Expand} onAction={onFullScreen}>
        {isFullScreen ? t`Leave full screen` : t`Full screen`}
      </MenuItem>
      {onPictureInPicture && (
        <MenuItem icon={PictureInPicture2} onAction={onPictureInPicture}>
          {t`Picture in picture`}
        </MenuItem>
      )}
      <MenuSeparator />
      <MenuItem icon={Settings} onAction={onSettings}>
        {t`Devices`}
      </MenuItem>
      <MenuItem icon={Keyboard} onAction={onHelp}>
        {t`Keyboard shortcuts`}
      </MenuItem>
    </Menu>
  );
}
