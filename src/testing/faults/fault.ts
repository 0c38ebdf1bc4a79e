/** What can go wrong, as data: the vocabulary of a fault script. */

import type { Capability, Limits } from '../model.ts';

/**
 * Which requests a fault strikes. Everything given must hold; nothing given strikes every chat request.
 * `skip`, `times` and `share` count only requests that match and that got as far as the fault.
 */
export interface FaultMatch {
  /** A key in full. */
  readonly key?: string | undefined;
  readonly account?: string | undefined;
  /** A model id; `*` stands for any run of characters. */
  readonly model?: string | undefined;
  /**
   * `account`: routes about the key itself, such as OpenRouter's `GET /key`.
   * @defaultValue 'any' for `unauthorized` and `leaked`, which follow the key everywhere; else 'chat'
   */
  readonly route?: 'chat' | 'models' | 'account' | 'any' | undefined;
  /** Epoch ms from which it strikes. */
  readonly from?: number | undefined;
  /** Epoch ms from which it strikes no more. */
  readonly until?: number | undefined;
  /** How many matching requests pass first. */
  readonly skip?: number | undefined;
  /** How many requests it strikes at most. */
  readonly times?: number | undefined;
  /** The share of matching requests that it strikes, 0 to 1, by a seeded sequence. */
  readonly share?: number | undefined;
}

/** How the lines of a stream may end. */
export type LineEnd = '\n' | '\r\n' | '\r';

/** Where in a stream something happens. */
export interface InStream {
  /**
   * After how many tokens: chunks with a piece of text, of reasoning or of a tool call. At most, after the last token
   * and before the finish.
   * @defaultValue half of the answer's tokens, rounded down
   */
  readonly afterTokens?: number | undefined;
}

/**
 * What a fault does. Where a request gets before it strikes, in this order:
 *
 * 1. at the network's edge, before anything is looked at: `reset`, `outage`, `forbidden`;
 * 2. with the key: `unauthorized`, `leaked`, `echo-key`, then `out-of-credits`;
 * 3. with the model: `retired`, `unknown-model`, `not-entitled`;
 * 4. then the request counts against the limits, which `limits` changes;
 * 5. behind them: `hang`, `server-error`, `congested`, `moderated`, `unsupported`;
 * 6. in the answer: `error-in-200`, `empty`, `malformed`, `garbage`, `cut`, `content-filter`, and of a stream also
 *    `stall`, `stream-error`, `garbage-chunk`, `first-event-error`, `json-instead`, `no-finish`, `endless`;
 * 7. in the form of a stream, each besides the others: `slow-drip`, `silent-comments`, `no-done`, `split`.
 *
 * `slow` delays whatever comes. Of the faults of one step, but the last, the first that matches strikes; those scripted
 * at run time come before those given at the start. Faults that only a stream can have pass other requests by, without
 * counting them.
 */
export type FaultEffect =
  /** The connection is reset before any answer. */
  | { readonly kind: 'reset' }
  /** Nobody is at home: a gateway's page (or nothing) with a 5xx status, 502 by default. */
  | {
      readonly kind: 'outage';
      readonly status?: number | undefined;
      readonly as?: 'html' | 'text' | 'empty' | undefined;
    }
  /** The network edge or a region rule turns everybody away. */
  | { readonly kind: 'forbidden' }
  /** The key is dead; with `from`, revoked at that moment. */
  | { readonly kind: 'unauthorized' }
  /** The key was found in public and blocked. */
  | { readonly kind: 'leaked' }
  /** The key is refused with a body that repeats it in full; `status` as the provider's own by default. */
  | { readonly kind: 'echo-key'; readonly status?: number | undefined }
  /** The account has no credit left. */
  | { readonly kind: 'out-of-credits' }
  /** The model came to its end. */
  | { readonly kind: 'retired' }
  /** The provider has never heard of the model. */
  | { readonly kind: 'unknown-model' }
  /** The account may not use the model: no free tier (`limit: 0`) or closed to this account. */
  | { readonly kind: 'not-entitled'; readonly as?: 'limit-zero' | 'closed' | undefined }
  /** Other limits than usual. With `model`, limits of that model. */
  | ({ readonly kind: 'limits' } & Limits)
  /** The request is taken and never answered. */
  | { readonly kind: 'hang' }
  /** The provider's own error body with a 5xx status, 500 by default. */
  | {
      readonly kind: 'server-error';
      readonly status?: number | undefined;
      readonly retryAfterMs?: number | undefined;
    }
  /** The model is overloaded for everybody. */
  | { readonly kind: 'congested'; readonly retryAfterMs?: number | undefined }
  /** The input is refused by a moderation filter. */
  | { readonly kind: 'moderated' }
  /** The model refuses parameters or lacks capabilities that it usually has. */
  | {
      readonly kind: 'unsupported';
      readonly parameters?: readonly string[] | undefined;
      readonly capabilities?: readonly Capability[] | undefined;
    }
  /** Status 200, an error inside: as the whole body, a stream or not, or in the choice. */
  | { readonly kind: 'error-in-200'; readonly as?: 'body' | 'choice' | undefined }
  /** Status 200 and no text: an empty text, no choice, or no body at all. */
  | { readonly kind: 'empty'; readonly as?: 'text' | 'choices' | 'body' | undefined }
  /** Status 200, JSON that ends in the middle; in a stream, every chunk of it. */
  | { readonly kind: 'malformed' }
  /** Status 200, JSON of a shape that nobody promised; in a stream, every chunk of it. */
  | { readonly kind: 'garbage' }
  /**
   * The connection breaks in the middle of the body. A stream ends there without its finish, either as if that were all
   * (`close`, the default) or by a broken connection.
   */
  | ({ readonly kind: 'cut'; readonly as?: 'close' | 'reset' | undefined } & InStream)
  /** The answer is stopped by a content filter. */
  | { readonly kind: 'content-filter' }
  /** The stream falls silent and stays open; with `comments`, signs of life go on, one each `everyMs` (1000). */
  | ({
      readonly kind: 'stall';
      readonly comments?: boolean | undefined;
      readonly everyMs?: number | undefined;
    } & InStream)
  /**
   * The stream ends with an error: `data: {"error": …}` (`frame`, the default), the same named `event: error`, or a
   * chunk whose finish reason is `error`. `[DONE]` follows.
   */
  | ({ readonly kind: 'stream-error'; readonly as?: 'frame' | 'event' | 'finish' | undefined } & InStream)
  /** One chunk too many, with JSON that ends in the middle; the stream goes on. */
  | ({ readonly kind: 'garbage-chunk' } & InStream)
  /** Status 200, and the first event of the stream is an error. */
  | { readonly kind: 'first-event-error' }
  /** A stream was asked for, and the whole answer comes as plain JSON. */
  | { readonly kind: 'json-instead' }
  /** The stream is whole but for the chunk with its finish and the one with its usage. */
  | { readonly kind: 'no-finish' }
  /** The stream says its tokens over and over and never ends; much of it quickly, where the reply has long words. */
  | { readonly kind: 'endless' }
  /** This much time before each token of the stream, in milliseconds. */
  | { readonly kind: 'slow-drip'; readonly betweenMs: number }
  /** So many comments before anything else of the stream, one each `everyMs` (1000). */
  | {
      readonly kind: 'silent-comments';
      readonly count: number;
      readonly everyMs?: number | undefined;
    }
  /** The stream ends without `[DONE]`. */
  | { readonly kind: 'no-done' }
  /**
   * The bytes of the stream in pieces of these sizes, used over and over, also through the middle of a character; lines
   * that end differently. By default an event is a piece, and lines end with `\n`.
   */
  | {
      readonly kind: 'split';
      readonly sizes?: readonly number[] | undefined;
      readonly lineEnds?: LineEnd | undefined;
    }
  /** Everything takes this much longer, in milliseconds. */
  | { readonly kind: 'slow'; readonly delayMs: number };

/** One line of a fault script: what happens, and to which requests. */
export type Fault = FaultEffect & FaultMatch;

export type FaultKind = Fault['kind'];
