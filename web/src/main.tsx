import './ui/tokens.css';
import './ui/base.css';
import { i18n } from '@lingui/core';
import { I18nProvider } from '@lingui/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createUserManager } from './auth/session.ts';
import { loadConfig } from './config.ts';
import { startI18n } from './i18n/i18n.ts';
import { CannotLoad } from './outcomes/cannot-load.tsx';
import { PageFailedBoundary } from './outcomes/page-failed.tsx';
import { startTheme } from './ui/theme.ts';

const RELOADED = 'reloaded-at';
const RELOAD_AGAIN_AFTER_MS = 10_000;

// After a deployment the parts that this page would still load are gone: the new page has them.
addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < RELOAD_AGAIN_AFTER_MS) return;
  event.preventDefault();
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
});

const element = document.getElementById('root');
if (!element) throw new Error('index.html has no #root');
const root = createRoot(element);

startTheme();
const [config] = await Promise.all([loadConfig().catch(() => undefined), startI18n()]);
root.render(
  <StrictMode>
    <I18nProvider i18n={i18n}>
      <PageFailedBoundary>
        {config ? <App config={config} users={createUserManager(config)} /> : <CannotLoad />}
      </PageFailedBoundary>
    </I18nProvider>
  </StrictMode>,
);
