import { Trans, useLingui } from '@lingui/react/macro';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import type { Problem } from './use-device.ts';

/** What is wrong with a device, and what helps. A person can join without one. */
export function ProblemHelp({
  kind,
  problem,
  turn,
}: {
  kind: 'camera' | 'microphone';
  problem: Problem | undefined;
  turn: (isOn: boolean) => void;
}) {
  const { t } = useLingui();
  if (!problem) return null;
  return (
    <Notice tone="failure" action={<Button onPress={() => turn(true)}>{t`Try again`}</Button>}>
      {kind === 'camera' ? (
        <CameraProblem problem={problem} />
      ) : (
        <MicrophoneProblem problem={problem} />
      )}
    </Notice>
  );
}

function CameraProblem({ problem }: { problem: Problem }) {
  switch (problem) {
    case 'denied':
      return (
        <Trans>
          This page is not allowed to use the camera. Allow it with the icon beside the address, and
          in the privacy settings of your system. Then try again.
        </Trans>
      );
    case 'in-use':
      return <Trans>Another program uses the camera. Close it there, then try again.</Trans>;
    case 'missing':
      return <Trans>There is no camera. Connect one, or join without it.</Trans>;
    case 'insecure':
      return <Trans>Browsers allow cameras on secure pages (https) only.</Trans>;
    case 'failed':
      return <Trans>The camera does not start. Connect it again, then try again.</Trans>;
  }
}

function MicrophoneProblem({ problem }: { problem: Problem }) {
  switch (problem) {
    case 'denied':
      return (
        <Trans>
          This page is not allowed to use the microphone. Allow it with the icon beside the address,
          and in the privacy settings of your system. Then try again.
        </Trans>
      );
    case 'in-use':
      return <Trans>Another program uses the microphone. Close it there, then try again.</Trans>;
    case 'missing':
      return <Trans>There is no microphone. Connect one, or join and listen.</Trans>;
    case 'insecure':
      return <Trans>Browsers allow microphones on secure pages (https) only.</Trans>;
    case 'failed':
      return <Trans>The microphone does not start. Connect it again, then try again.</Trans>;
  }
}
