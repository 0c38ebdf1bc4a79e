/** Replays all sessions of coding agents over each provider, and with each turn at another one. `npm test` replays each session once. */
import { runModule } from './support.mjs';

const env = { ...process.env, FREELM_CORPUS: 'every way' };
const { code } = await runModule('vitest/vitest.mjs', ['run', 'test/clients/corpus.test.ts'], { env });
process.exitCode = code;
