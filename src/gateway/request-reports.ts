/** What became of each request, for the log, the metrics and the status page. */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallEndEvent, FreeLLMEvent } from '../index.ts';

/** A request that is over. It holds no key, no token, no prompt and no answer. */
export interface RequestReport {
  /** Also in the header `x-request-id` of the response. */
  readonly id: string;
  readonly method: string;
  /** The path of the URL, without parts that are long enough to be a key, and without the query. */
  readonly path: string;
  /** The route in a few words, such as `/v1/models/{id}`; `other` for a path that has none. */
  readonly route: string;
  /** Undefined if the client disconnected before the response began. */
  readonly status: number | undefined;
  /** Whether the client took the whole response. */
  readonly isComplete: boolean;
  readonly durationMs: number;
  /** The bytes of the body that arrived. */
  readonly bytesReceived: number;
  /** The bytes of the response, headers included. */
  readonly bytesSent: number;
  /** The model that was asked for. Undefined if the request began no call, or named no model. */
  readonly model: string | undefined;
  /** The provider and the model of the last attempt. Undefined if there was none. */
  readonly provider: string | undefined;
  readonly servedModel: string | undefined;
  /** How many requests were sent to providers. */
  readonly attempts: number;
  /** The tokens of all attempts, as far as providers reported them before the response ended. */
  readonly usage: CallEndEvent['usage'];
  /** The code of the error, if the request or its call failed. */
  readonly code: string | undefined;
}

/** Receives a report of each request when its response is complete or its client has disconnected. */
export type RequestListener = (report: RequestReport) => void;

/** What a request's call has done so far. */
export interface CallNote {
  /** The route of the request. */
  readonly route: string;
  /** Undefined: no call has begun. */
  call: number | undefined;
  model: string | undefined;
  provider: string | undefined;
  servedModel: string | undefined;
  attempts: number;
  usage: CallEndEvent['usage'];
  code: string | undefined;
}

export function emptyNote(route: string): CallNote {
  return {
    route,
    call: undefined,
    model: undefined,
    provider: undefined,
    servedModel: undefined,
    attempts: 0,
    usage: undefined,
    code: undefined,
  };
}

type Usage = CallEndEvent['usage'];

/** The tokens of all calls of a request that asks for several answers. */
function sumOf(known: Usage, next: Usage): Usage {
  if (known === undefined || next === undefined) return next ?? known;
  return {
    ...next,
    promptTokens: known.promptTokens + next.promptTokens,
    completionTokens: known.completionTokens + next.completionTokens,
    totalTokens: known.totalTokens + next.totalTokens,
  };
}

/** Tells which call belongs to which request. A call begins in the asynchronous context of its request. */
export class CallNotes {
  readonly #requests = new AsyncLocalStorage<CallNote>();
  readonly #running = new Map<number, CallNote>();

  /** Runs what answers a request. The call that it begins is noted in `note`. */
  during<Result>(note: CallNote, answer: () => Result): Result {
    return this.#requests.run(note, answer);
  }

  /** Ends the following. While a context is in use, Node 20 and 22 slow down every promise of the process. */
  close(): void {
    this.#requests.disable();
  }

  /** The route of the request in whose context this is read. */
  get route(): string | undefined {
    return this.#requests.getStore()?.route;
  }

  readonly note = (event: FreeLLMEvent): void => {
    if (event.type === 'call-start') {
      const note = this.#requests.getStore();
      if (note === undefined) return;
      note.call = event.call;
      note.model = typeof event.model === 'string' ? event.model : event.model?.join(',');
      this.#running.set(event.call, note);
      return;
    }
    const note = 'call' in event ? this.#running.get(event.call) : undefined;
    if (note === undefined) return;
    if (event.type === 'attempt-start') {
      note.attempts += 1;
      note.provider = event.provider;
      note.servedModel = event.model;
    } else if (event.type === 'call-end') {
      note.usage = sumOf(note.usage, event.usage);
      note.code = event.code;
      this.#running.delete(event.call);
    }
  };
}

/** The routes by their paths. A longer part may be a key, so it is not a name of a route. */
const ROUTES: readonly (readonly [path: RegExp, route: string])[] = [
  [/\/chat\/completions\/?$/, '/v1/chat/completions'],
  [/\/completions\/?$/, '/v1/completions'],
  [/\/responses\/?$/, '/v1/responses'],
  [/\/responses\/[^/]+\/?$/, '/v1/responses/{id}'],
  [/\/messages\/?$/, '/v1/messages'],
  [/\/messages\/count_tokens\/?$/, '/v1/messages/count_tokens'],
  [/\/embeddings\/?$/, '/v1/embeddings'],
  [/\/models\/?$/, '/v1/models'],
  [/\/models\/.+$/, '/v1/models/{id}'],
  [/\/api\/chat\/?$/, '/api/chat'],
  [/\/api\/generate\/?$/, '/api/generate'],
  [/\/api\/tags\/?$/, '/api/tags'],
  [/\/api\/show\/?$/, '/api/show'],
  [/\/api\/version\/?$/, '/api/version'],
  [/^\/(?:health|live|metrics|status|reset)?$/, ''],
];

/** The route of a path, out of a fixed list. */
export function routeOf(path: string): string {
  const found = ROUTES.find(([pattern]) => pattern.test(path));
  return found === undefined ? 'other' : found[1] || path;
}

const MAX_PARTS = 8;
/** A key has more characters. */
const PLAIN_PART = /^[\w.~:-]{0,20}$/;

/** A path that may be logged: parts that could be a key or a text are shortened to `…`. */
export function shownPath(url: string): string {
  const [path = ''] = url.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  const parts = path.split('/');
  const shown = parts.slice(0, MAX_PARTS).map((part) => (PLAIN_PART.test(part) ? part : '…'));
  return [...shown, ...(parts.length > MAX_PARTS ? ['…'] : [])].join('/') || '/';
}
