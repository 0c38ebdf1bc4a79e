/** The status page: one document without external resources. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The scripts of the page. Each imports only from those before it. */
const SCRIPTS = ['format.js', 'dom.js', 'server.js', 'calls.js', 'keys.js', 'try.js', 'main.js'] as const;

function read(name: string): string {
  return readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');
}

/** The scripts as one module: their names are unique, so it is enough to drop imports and exports. */
function joinedScript(): string {
  const scripts = SCRIPTS.map((name) => read(name).replaceAll(/^import [^;]*;\n|^export (?=\w)/gm, ''));
  return scripts.join('\n');
}

/**
 * The page, with its style and script inline. It contains no data of the pool: its script requests `status` with the
 * token that the user enters.
 */
export function statusPage(): string {
  return read('page.html')
    .replace('<link rel="stylesheet" href="page.css" />', () => `<style>${read('page.css')}</style>`)
    .replace(' src="main.js"></script>', () => `>${joinedScript()}</script>`);
}

/** The hashes of the inline scripts or styles, for a content security policy. */
function hashesOf(page: string, tag: 'script' | 'style'): string {
  const contents = [...page.matchAll(new RegExp(`<${tag}\\b[^>]*>(.*?)</${tag}>`, 'gs'))];
  const hashes = contents.map(([, text = '']) => createHash('sha256').update(text).digest('base64'));
  return hashes.length === 0 ? "'none'" : hashes.map((hash) => `'sha256-${hash}'`).join(' ');
}

/** Serves the page. It shows texts of providers, so its policy allows nothing but its own script, style and status. */
export function pageResponder(page: string): () => Response {
  const policy = [
    "default-src 'none'",
    `script-src ${hashesOf(page, 'script')}`,
    `style-src ${hashesOf(page, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
  };
  return () => new Response(page, { headers });
}
