#!/usr/bin/env node
// This file has no static imports, because an older Node could not parse the other files.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`freelm: needs Node 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 2;
} else {
  const [{ run }, { processShell }] = await Promise.all([import('./run.ts'), import('./shell.ts')]);
  process.exitCode = await run(process.argv.slice(2), processShell());
}
