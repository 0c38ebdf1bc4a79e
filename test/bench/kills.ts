/** Kills processes with pools at random instants and counts what their files have booked: `npm run bench:kills -- 1000`. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAtRandom } from '../support/processes.ts';

const kills = Number(process.argv[2] ?? 1000);
const library = join(import.meta.dirname, '..', '..', 'dist', 'index.js');
const folder = mkdtempSync(join(tmpdir(), 'freelm-kills-'));
try {
  const { counted, booked, warnings } = await killAtRandom(library, folder, kills, 4);
  console.log(`${kills} kills: the provider counted ${counted} requests, ${booked} are booked.`);
  for (const warning of warnings) console.log(warning);
  const isExact = booked >= counted && booked <= counted + kills && warnings.length === 0;
  console.log(isExact ? 'never fewer, never more than one a kill above, nothing unreadable' : 'FAILED');
  process.exitCode = isExact ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
