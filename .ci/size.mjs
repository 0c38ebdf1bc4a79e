/** Checks what the package weighs: every user downloads and stores it. */
import { npm } from './support.mjs';

const MAX_PACKED_BYTES = 450_000;
const MAX_UNPACKED_BYTES = 2_000_000;

const kB = (bytes) => `${Math.round(bytes / 1000)} kB`;

const { output } = await npm(['pack', '--dry-run', '--json'], { stdio: ['ignore', 'pipe', 'ignore'] });
const [{ size, unpackedSize, entryCount }] = Object.values(JSON.parse(output));
console.log(
  `package: ${kB(size)} packed (at most ${kB(MAX_PACKED_BYTES)}), ${kB(unpackedSize)} unpacked (at most ${kB(MAX_UNPACKED_BYTES)}), ${entryCount} files`,
);
if (size > MAX_PACKED_BYTES || unpackedSize > MAX_UNPACKED_BYTES) process.exitCode = 1;
