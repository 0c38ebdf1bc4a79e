/** The status page as it is sent. */

import { createHash } from 'node:crypto';

/** The scripts or styles in a page, as a content security policy names them. */
function hashesOf(page: string, tag: 'script' | 'style'): string {
  const contents = [...page.matchAll(new RegExp(`<${tag}\\b[^>]*>(.*?)</${tag}>`, 'gs'))];
  const hashes = contents.map(([, text = '']) => createHash('sha256').update(text).digest('base64'));
  return hashes.length === 0 ? "'none'" : hashes.map((hash) => `'sha256-${hash}'`).join(' ');
}

/** The page shows what providers say: nothing runs in it but its own script, and it talks to nobody but us. */
export function pageAnswer(page: string): () => Response {
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
