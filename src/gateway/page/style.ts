/** How the status page looks: by day and by night, from a phone's width up. */

export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f3f5f7;
  --card: #ffffff;
  --text: #1b2127;
  --quiet: #59636e;
  --line: #dde2e7;
  --track: #e4e8ec;
  --fill: #4a7fb5;
  --spent: #b06a00;
  --good: #18794e;
  --wait: #8f5600;
  --bad: #b42318;
  --focus: #0b63c5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1317;
    --card: #171c22;
    --text: #e3e8ed;
    --quiet: #98a3af;
    --line: #2a323b;
    --track: #2a323b;
    --fill: #6d9fd3;
    --spent: #d99a3d;
    --good: #57bf8b;
    --wait: #e0a648;
    --bad: #f38b80;
    --focus: #7db7ff;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scrollbar-gutter: stable; }
body {
  margin: 0;
  background: var(--ground);
  color: var(--text);
  font: 0.875rem/1.45 system-ui, sans-serif;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}
h1, h2, h3, h4, p, ul, ol, dl, dd { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: 1.125rem; letter-spacing: -0.01em; }
h2 { font-size: 1rem; }
h3 { font-size: 0.875rem; }
h4 { font-size: inherit; }
pre, .id { font-family: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, monospace; font-size: 0.9286em; }
a { color: inherit; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
button, input {
  font: inherit;
  color: inherit;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 0.25rem 0.625rem;
  min-height: 1.75rem;
}
button { cursor: pointer; }
button:hover { border-color: var(--quiet); }
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.skip { position: absolute; left: -999rem; padding: 0.5rem 0.75rem; background: var(--card); }
.skip:focus { left: 0.5rem; top: 0.5rem; z-index: 1; }
.quiet { color: var(--quiet); }
.small { font-size: 0.8125rem; }

.page { max-width: 80rem; margin: 0 auto; padding: 0 1rem 3rem; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.375rem 0.75rem; padding: 0.875rem 0; }
#link { display: flex; align-items: baseline; gap: 0.4rem; margin-right: auto; }
#link::before { content: '●' / ''; font-size: 0.75em; color: var(--quiet); }
#link[data-tone='good']::before { color: var(--good); }
#link[data-tone='bad'] { color: var(--bad); font-weight: 600; }
#link[data-tone='bad']::before { content: '▲' / ''; color: inherit; }

#skew { margin-bottom: 0.75rem; }

#gate { max-width: 24rem; margin: 3rem auto; padding: 1.25rem; display: grid; gap: 0.75rem; }
#gate div { display: flex; gap: 0.5rem; }
#gate input { flex: 1; min-width: 0; border-color: var(--quiet); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }

.sum { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); margin-bottom: 1.5rem; gap: 1px; background: var(--line); overflow: hidden; }
.sum div { background: var(--card); padding: 0.625rem 0.875rem; }
.sum dt { color: var(--quiet); font-size: 0.8125rem; }
.sum dd { font-size: 1.375rem; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; }
.sum dd + dd { font-size: 0.8125rem; font-weight: 400; letter-spacing: 0; color: var(--quiet); }

.columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.75rem; align-items: start; }
@media (min-width: 70rem) {
  .columns { grid-template-columns: minmax(0, 1.7fr) minmax(0, 1fr); }
  #calls { position: sticky; top: 0.75rem; max-height: calc(100vh - 1.5rem); display: flex; flex-direction: column; }
  #call-list { overflow: auto; overscroll-behavior: contain; }
}
section > h2 { margin-bottom: 0.5rem; }
#keys, #calls { container-type: inline-size; }
#calls:focus { outline: none; }
.provider + .provider { margin-top: 1rem; }
.provider-head { display: flex; gap: 0.625rem; align-items: baseline; padding: 0 0.125rem 0.375rem; }

.key { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0.5rem 1rem; padding: 0.75rem 0.875rem; }
.key + .key, .call + .call { border-top: 1px solid var(--line); }
.key-name, .state { grid-column: 1 / -1; }
.key-name { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.625rem; }
.key-name p { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.5rem; }
.link { border: 0; padding: 0 0.25rem; margin-left: -0.25rem; min-height: 1.5rem; background: none; color: var(--focus); }
.link:hover { text-decoration: underline; }
.word { font-weight: 600; }
.word::before { display: inline-block; width: 1.1em; content: attr(data-mark) / ''; }
[data-tone='good'] > .word, .word[data-tone='good'] { color: var(--good); }
[data-tone='wait'] > .word, .word[data-tone='wait'] { color: var(--wait); }
[data-tone='bad'] > .word, .word[data-tone='bad'] { color: var(--bad); }
[data-tone='calm'] > .word, .word[data-tone='calm'] { color: var(--quiet); }
.key-panel { grid-column: 1 / -1; border-top: 1px dashed var(--line); padding-top: 0.625rem; display: grid; gap: 0.5rem; }
.key-panel ul { display: grid; gap: 0.75rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
.key-panel li > div { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 8rem), 1fr)); gap: 0.25rem 1rem; }
.key-panel .meter-model { display: none; }
@container (min-width: 42rem) {
  .key { grid-template-columns: minmax(0, 7.5rem) minmax(0, 1fr) minmax(0, 10rem) minmax(0, 10rem); }
  .key-name, .state { grid-column: auto; }
  .key-name { display: block; }
}

.meter-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 0.5rem; }
.meter-head .count { font-weight: 600; }
.meter-model { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar { height: 6px; margin: 3px 0; border-radius: 3px; background: var(--track); overflow: hidden; }
.bar > div {
  width: calc(var(--share) * 100%);
  height: 100%;
  border-radius: 3px;
  background: var(--fill);
  transition: width 0.3s;
}
.bar[data-spent='yes'] > div { background: var(--spent); }

summary { cursor: pointer; padding: 0.5rem 0.875rem; display: grid; grid-template-columns: auto auto minmax(0, 1fr); gap: 0 0.75rem; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary:hover { background: color-mix(in srgb, var(--ground) 55%, transparent); }
summary:focus-visible { outline-offset: -2px; }
.call:first-child summary { border-radius: 9px 9px 0 0; }
.call:last-child details:not([open]) summary { border-radius: 0 0 9px 9px; }
.call-route { grid-column: 1 / -1; }
.call-tail { text-align: right; }
summary .word, summary .chevron, .call-tail { white-space: nowrap; }
summary .chevron::before { content: '▸' / ''; display: inline-block; color: var(--quiet); width: 1em; }
details[open] > summary .chevron::before { content: '▾' / ''; }
.call-panel { padding: 0.25rem 0.875rem 0.75rem; display: grid; gap: 0.5rem; }
.attempts { display: grid; gap: 0.5rem; border-left: 2px solid var(--line); padding-left: 0.75rem; }
.said { white-space: pre-wrap; max-height: 12rem; overflow: auto; }
#warnings { margin-top: 1.75rem; }
#warnings li { padding: 0.5rem 0.875rem; }
#warnings li + li { border-top: 1px solid var(--line); }
.none { padding: 0.875rem; }
.none pre { margin: 0.5rem 0 0; white-space: pre-wrap; }

@media (prefers-reduced-motion: reduce) { .bar > div { transition: none; } }
@media (forced-colors: active) {
  .bar { border: 1px solid CanvasText; }
  .bar > div { background: Highlight; forced-color-adjust: none; }
}
@media (pointer: coarse) { button, .link, summary { min-height: 2.75rem; } }
`;
