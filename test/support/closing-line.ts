/** Prints the tests' count on a line of its own when the run ends: `5 passed, 0 failed, 0 skipped`. */
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    // An error outside of any test fails the run, so it counts as one.
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'failed') failedTests += 1;
        count[state === 'pending' ? 'skipped' : state] += 1;
      }
      // So does a file that failed before its tests could run.
      if (module.state() === 'failed' && failedTests === 0) count.failed += 1;
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}
