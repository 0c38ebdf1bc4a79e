/** The status page: one document, its style and script inside it, nothing loaded but `status`. */

import { PAGE_CALLS } from './calls.ts';
import { PAGE_KEYS } from './keys.ts';
import { PAGE_SCRIPT } from './script.ts';
import { PAGE_STYLE } from './style.ts';
import { PAGE_WORDS } from './words.ts';

const SCRIPT = `'use strict';\n(() => {${PAGE_WORDS}${PAGE_KEYS}${PAGE_CALLS}${PAGE_SCRIPT}})();\n`;

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 4h12M2 8h8M2 12h10' stroke='%234a7fb5' stroke-width='2.4' stroke-linecap='round'/%3E%3C/svg%3E";

const BODY = `<div class="page">
<a class="skip" href="#calls">Skip to the calls</a>
<header>
<h1>freelm</h1>
<span id="version" class="quiet small"></span>
<p id="link" class="small">Connecting…</p>
<button type="button" id="retry" class="small" hidden>Try now</button>
<button type="button" id="pause" class="small" aria-pressed="false" hidden>Pause</button>
<button type="button" id="forget" class="small" hidden>Forget the token</button>
</header>
<p id="news" class="unseen" role="status" aria-live="polite"></p>
<p id="skew" class="quiet small" hidden></p>
<noscript>The status page needs JavaScript. GET /status has the same as JSON.</noscript>
<form id="gate" class="card" hidden>
<input type="text" name="username" value="freelm" autocomplete="username" hidden>
<label for="token">Token</label>
<div>
<input id="token" type="password" autocomplete="current-password" spellcheck="false" required aria-describedby="gate-note">
<button type="submit">Show</button>
</div>
<p id="gate-note" class="quiet small" role="status"></p>
</form>
<main id="board" hidden>
<dl class="sum card" aria-label="Summary">
<div><dt>Keys ready</dt><dd id="ready"></dd><dd id="ready-more"></dd></div>
<div><dt>Requests left now</dt><dd id="left-now"></dd><dd id="left-now-more"></dd></div>
<div><dt>Left today</dt><dd id="left-today"></dd><dd>of the quotas that count days</dd></div>
<div><dt>Calls served</dt><dd id="served"></dd><dd id="served-more"></dd></div>
</dl>
<div class="columns">
<div>
<section id="keys" aria-labelledby="keys-title">
<h2 id="keys-title">Keys</h2>
<div id="providers"></div>
<p id="no-keys" class="card none" hidden>The pool has no keys.</p>
</section>
<section id="warnings" aria-labelledby="warnings-title" hidden>
<h2 id="warnings-title">Warnings</h2>
<ul id="warning-list" class="card small" role="list"></ul>
</section>
</div>
<section id="calls" aria-labelledby="calls-title" tabindex="-1">
<h2 id="calls-title">Last calls</h2>
<ol id="call-list" class="card" role="list"></ol>
<div id="no-calls" class="card none" hidden>
<p>No call yet. Send one:</p>
<pre id="example"></pre>
</div>
</section>
</div>
</main>
</div>
`;

/**
 * The page. It holds nothing of the pool: it asks `status`, beside it, with the token that a person gives it. One
 * `<style>` and one `<script>`, without attributes, are all that a content security policy has to allow; and `data:`
 * for its icon.
 */
export function statusPage(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>freelm</title>
<link rel="icon" href="${ICON}">
<style>${PAGE_STYLE}</style>
</head>
<body>
${BODY}<script>${SCRIPT}</script>
</body>
</html>
`;
}
