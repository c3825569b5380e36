import { Trans, useLingui } from '@lingui/react/macro';
import { CircleAlert, RotateCw } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import { Screen } from '../ui/screen.tsx';

/** Catches a mistake in this page's own code: a screen in place of a blank window. */
export class PageFailedBoundary extends Component<{ children: ReactNode }, { isFailed: boolean }> {
  override state = { isFailed: false };

  static getDerivedStateFromError() {
    return { isFailed: true };
  }

  override render() {
    return this.state.isFailed ? <PageFailed /> : this.props.children;
  }
}

function PageFailed() {
  const { t } = useLingui();
  return (
    <Screen
      icon={CircleAlert}
      tone="alert"
      title={t`Something went wrong on this page`}
      actions={
        <Button look="primary" icon={RotateCw} onPress={() => location.reload()}>
          {t`Reload the page`}
        </Button>
      }
    >
      <p>
        <Trans>Nothing of your clubs is lost. Reload the page to go on.</Trans>
      </p>
    </Screen>
  );
}
