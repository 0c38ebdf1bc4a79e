/** The form that sends one chat. */

import { byId, setState, setText } from './dom.js';
import { post } from './server.js';

/** @import { Tone } from './dom.js' */

/** @param {string} id */
function fieldOf(id) {
  const field = byId(id);
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) return field;
  throw new Error(`${id} is no field`);
}

/**
 * @param {unknown} value
 * @param {readonly (string | number)[]} path
 * @returns {unknown}
 */
function at(value, path) {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  return typeof value === 'object' && value !== null ? at(Reflect.get(value, step), rest) : undefined;
}

/**
 * @param {Tone} tone
 * @param {string} title
 * @param {string} text
 */
function showAnswer(tone, title, text) {
  byId('answer').hidden = false;
  setState(byId('answer-title'), tone, title);
  setText(byId('answer-text'), text);
}

/**
 * Sends the prompt and shows the answer.
 * @param {AbortSignal} signal
 */
async function ask(signal) {
  const messages = [{ role: 'user', content: fieldOf('prompt').value }];
  const response = await post(
    'v1/chat/completions',
    { model: fieldOf('model').value || 'auto', messages },
    signal,
  );
  /** @type {unknown} */
  const body = await response.json();
  const route = [response.headers.get('x-freelm-provider'), response.headers.get('x-freelm-model')];
  if (response.ok)
    showAnswer('good', route.join(' · '), String(at(body, ['choices', 0, 'message', 'content'])));
  else showAnswer('bad', `Refused: HTTP ${response.status}`, String(at(body, ['error', 'message'])));
}

/** @param {{ readonly onEnd: () => void }} options */
export function startTrying({ onEnd }) {
  /** @type {AbortController | undefined} */
  let running;
  const run = async () => {
    const controller = new AbortController();
    running = controller;
    setText(byId('send'), 'Stop');
    showAnswer('calm', 'Running', '');
    try {
      await ask(controller.signal);
    } catch {
      showAnswer('bad', controller.signal.aborted ? 'Stopped' : 'No answer from the server', '');
    }
    running = undefined;
    setText(byId('send'), 'Send');
    onEnd();
  };
  byId('try').addEventListener('submit', (event) => {
    event.preventDefault();
    if (running === undefined) void run();
    else running.abort();
  });
}
