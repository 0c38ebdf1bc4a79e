import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The tests of `npm run test:fast`: the pure rooms, those next to them, and the vectors. */
const FAST = [
  'test/{core,wire,providers,catalog,rest}/**/*.test.ts',
  'test/{vectors,spec,rooms,no-provider-names}.test.ts',
];

export default defineConfig(({ mode }) => ({
  test: {
    include: mode === 'fast' ? FAST : ['test/**/*.test.ts'],
    // Property tests draw thousands of cases. `npm test` runs them.
    exclude: mode === 'fast' ? ['test/**/*.property.test.ts'] : [],
    typecheck: { include: ['test/**/*.test-d.ts'], tsconfig: './test/tsconfig.json' },
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
