import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The tests of `npm run test:fast`: the pure rooms, those next to them, and the vectors. */
const FAST = [
  'test/{core,wire,providers,catalog,rest}/**/*.test.ts',
  'test/{vectors,spec,rooms,no-provider-names}.test.ts',
];

/** Tests that neither watch nor change their process share what they import: loading it takes longer than most of them. */
const SHARED = [
  'test/{core,wire,providers,catalog,rest,testing,engine}/**/*.test.ts',
  'test/{vectors,spec}.test.ts',
];

const ALL = ['test/**/*.test.ts'];

/** What `npm test` runs. A list here is added to that of the whole configuration, which therefore has none. */
const PROJECTS = [
  {
    extends: true as const,
    test: { name: 'shared', include: SHARED, isolate: false },
  },
  {
    extends: true as const,
    test: { name: 'all others', include: ALL, exclude: SHARED },
  },
];

/** What `npm run test:fast` runs. Property tests (thousands of cases) and tests of large inputs are left to `npm test`. */
const FAST_RUN = { include: FAST, exclude: ['test/**/*.{property,large}.test.ts'], isolate: false };

export default defineConfig(({ mode }) => ({
  test: {
    ...(mode === 'fast' ? FAST_RUN : { projects: PROJECTS }),
    // No test reads or writes the cache of the user who runs it.
    env: { FREELM_PERSIST: '0', XDG_CACHE_HOME: join(tmpdir(), 'freelm-tests') },
    pool: 'threads',
    // Vitest leaves one processor idle by default, which is half of a small machine.
    maxWorkers: '100%',
    // Long enough for a busy machine. A test that hangs is still found.
    testTimeout: 120_000,
    reporters: ['default', './test/support/closing-line.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
}));
