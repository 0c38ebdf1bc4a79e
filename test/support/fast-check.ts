/**
 * fast-check with a fixed seed, so that a run of the tests depends on the code alone. `FREELM_SEED=random` draws other
 * cases in each run, and `FREELM_SEED=<number>` repeats those of one run.
 */
import fc from 'fast-check';

const { FREELM_SEED } = process.env;
if (FREELM_SEED !== 'random')
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(FREELM_SEED ?? 1) });

export default fc;
