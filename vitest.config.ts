import { defineConfig } from 'vitest/config';

/** `npm run test:fast`: the rooms that decide and translate, and the vectors. */
const FAST = [
  'test/{core,wire,providers,catalog,rest}/**/*.test.ts',
  'test/{vectors,spec,rooms,no-provider-names}.test.ts',
];

export default defineConfig(({ mode }) => ({
  test: {
    include: mode === 'fast' ? FAST : ['test/**/*.test.ts'],
    // Thousands of drawn cases, which CI runs.
    exclude: mode === 'fast' ? ['test/**/*.property.test.ts'] : [],
    typecheck: { include: ['test/**/*.test-d.ts'], tsconfig: './test/tsconfig.json' },
    pool: 'threads',
    // Without it one processor is left idle, half of a small machine.
    maxWorkers: '100%',
    // A machine may be busy; what never ends is still found.
    testTimeout: 30_000,
    reporters: ['default', './test/support/closing-line.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
}));
