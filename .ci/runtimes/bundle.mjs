/** Bundles call.mjs: `node bundle.mjs rollup|webpack <node_modules of the bundler>`. */

import { createRequire } from 'node:module';
import path from 'node:path';

const [bundler, tools] = process.argv.slice(2);
const require = createRequire(path.join(tools, 'x.js'));

async function withRollup() {
  const { rollup } = require('rollup');
  const resolve = require('@rollup/plugin-node-resolve').default;
  const commonjs = require('@rollup/plugin-commonjs').default;
  const json = require('@rollup/plugin-json').default;
  const plugins = [resolve({ preferBuiltins: true }), commonjs(), json()];
  const bundle = await rollup({ input: 'call.mjs', plugins, onLog: () => undefined });
  await bundle.write({
    dir: 'out/rollup',
    format: 'es',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
  });
}

function withWebpack() {
  const output = { path: path.resolve('out/webpack'), filename: 'call.cjs' };
  const options = { mode: 'production', target: 'node', entry: './call.mjs', output };
  return new Promise((resolve, reject) => {
    require('webpack')({ ...options, optimization: { minimize: false } }, (error, stats) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
      else resolve();
    });
  });
}

await (bundler === 'rollup' ? withRollup() : withWebpack());
