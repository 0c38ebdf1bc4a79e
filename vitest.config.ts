import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The tests of `npm run test:fast`: the pure rooms, those next to them, and the vectors. */
const FAST = [
  'test/{core,wire,providers,catalog,rest}/**/*.test.ts',
  'test/{vectors,spec,rooms,no-provider-names}.test.ts',
];

const ALL = ['test/**/*.test.ts'];

/** Tests that start processes with the built library. */
const PROCESSES = [
  'test/cli/{developer,launch,main,operator,restart}.test.ts',
  'test/client/{endings,exit,processes}.test.ts',
  'test/testing/closed-world.test.ts',
  'test/readme.test.ts',
];

/** Tests that watch or change their process. Other tests leave timers and connections behind for a while. */
const ALONE = [
  'test/client/{abort,foreign-parts,shared-signal,stream-resources}.test.ts',
  'test/fuzz/fuzz.test.ts',
];

/** What `npm test` runs. A list here is added to that of the whole configuration, which therefore has none. */
const PROJECTS = [
  {
    extends: true as const,
    // Loading what these tests import takes longer than most of them.
    test: { name: 'shared', include: ALL, exclude: [...PROCESSES, ...ALONE], isolate: false },
  },
  {
    extends: true as const,
    test: { name: 'processes', include: PROCESSES, globalSetup: '.ci/build-for-tests.mjs', isolate: false },
  },
  {
    extends: true as const,
    test: { name: 'alone', include: ALONE, pool: 'forks' },
  },
];

/** What `npm run test:fast` runs. Property tests (thousands of cases) and tests of large inputs are left to `npm test`. */
const FAST_RUN = { include: FAST, exclude: ['test/**/*.{property,large}.test.ts'], isolate: false };

export default defineConfig(({ mode }) => ({
  test: {
    ...(mode === 'fast' ? FAST_RUN : { projects: PROJECTS }),
    // No test reads or writes the cache of the user who runs it.
    env: { FREELM_PERSIST: '0', XDG_CACHE_HOME: join(tmpdir(), 'freelm-tests') },
    setupFiles: ['./test/support/end-contexts.ts'],
    pool: 'threads',
    // Vitest leaves one processor idle by default, which is half of a small machine.
    maxWorkers: '100%',
    // Long enough for a busy machine. A test that hangs is still found.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['default', './test/support/closing-line.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
}));
