import { useLingui } from '@lingui/react/macro';
import { RotateCw } from 'lucide-react';
import { SessionEnded } from '../api/errors.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { useErrorText } from './error-text.ts';

/** A part of a page that did not load. The page retries by itself; a button retries now. */
export function Trouble({ error, onRetry }: { error: unknown; onRetry: () => unknown }) {
  const { t } = useLingui();
  const textOf = useErrorText();
  // The whole page says so.
  if (error instanceof SessionEnded) return null;
  return (
    <Notice
      tone="failure"
      action={
        <Button icon={RotateCw} onPress={() => void onRetry()}>
          {t`Try again`}
        </Button>
      }
    >
      {textOf(error)}
    </Notice>
  );
}
