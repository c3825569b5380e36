/** Parts of the page in a test: React's own `act`, and the words in English. */
import { i18n } from '@lingui/core';
import { I18nProvider } from '@lingui/react';
import { act, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { onTestFinished } from 'vitest';
import { messages } from './locales/en.po';

// https://react.dev/reference/react/act#error-the-current-testing-environment-is-not-configured-to-support-act
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
i18n.loadAndActivate({ locale: 'en', messages });

/** Shows it in a document; it is gone at the end of the test at the latest. */
export async function mount(content: ReactNode): Promise<{ unmount(): Promise<void> }> {
  const element = document.body.appendChild(document.createElement('div'));
  const root = createRoot(element);
  const unmount = async () => act(async () => root.unmount());
  onTestFinished(async () => {
    await unmount();
    element.remove();
  });
  await act(async () => root.render(<I18nProvider i18n={i18n}>{content}</I18nProvider>));
  return { unmount };
}

/** What a hook returned last. */
export async function mountHook<Result>(
  useHook: () => Result,
  within: (probe: ReactNode) => ReactNode = (probe) => probe,
): Promise<{ result: { current: Result }; unmount(): Promise<void> }> {
  const result = {} as { current: Result };
  function Probe() {
    result.current = useHook();
    return null;
  }
  const { unmount } = await mount(within(<Probe />));
  return { result, unmount };
}
