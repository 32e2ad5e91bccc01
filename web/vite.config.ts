// Builds the dashboard into web/dist: no plugin, hashed files, nothing inlined (the page's CSP allows no inline code).
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** What a first visit may download, compressed; a bigger bundle fails the build. */
const BUNDLE_GZIP_BYTES_MAX = 100_000;

function sizeLimit(): Plugin {
  return {
    name: 'size-limit',
    writeBundle(_options, bundle) {
      let bytes = 0;
      for (const file of Object.values(bundle)) {
        bytes += gzipSync(file.type === 'chunk' ? file.code : file.source).length;
      }
      const size = `${(bytes / 1_000).toFixed(1)} kB gzip`;
      if (bytes > BUNDLE_GZIP_BYTES_MAX) {
        throw new Error(
          `Expected a dashboard below ${BUNDLE_GZIP_BYTES_MAX / 1_000} kB gzip, was ${size}`,
        );
      }
      process.stderr.write(`dashboard: ${size}\n`);
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [sizeLimit()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: false,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
