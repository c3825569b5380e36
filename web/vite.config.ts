import { fileURLToPath } from 'node:url';
import { lingui, linguiTransformerBabelPreset } from '@lingui/vite-plugin';
import babel from '@rolldown/plugin-babel';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The macros' plugin looks for it from where the process was started. Lingui recommends its native
// transform, which npm leaves out where npm itself runs on a Node before 22.19; Babel works everywhere.
Object.assign(process.env, {
  LINGUI_CONFIG: fileURLToPath(new URL('lingui.config.ts', import.meta.url)),
  LINGUI_SUPPRESS_BABEL_WARNING: '1',
});

export default defineConfig(({ command }) => ({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // A checkout's own, also where it shares its node_modules with others.
  cacheDir: '../.local/vite',
  plugins: [
    react(),
    lingui({ failOnMissing: command === 'build', failOnCompileError: true }),
    babel({ presets: [linguiTransformerBabelPreset()] }),
  ],
  build: {
    outDir: '../.web',
    emptyOutDir: true,
    // What has WebRTC and `light-dark()`: nothing is polyfilled.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // Pictures and fonts in the styles would need `data:` in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One file of 8 KB, rather than six before the first paint and four later.
    cssCodeSplit: false,
    sourcemap: true,
  },
}));
