/** The faults that a test can script. */

import type { Oddity } from '../answers/oddity.ts';
import type { Capability, Limits } from '../model.ts';

/**
 * The requests that a fault applies to. All given conditions must hold. Without any, the fault applies to every chat
 * request. `skip`, `times` and `share` count only matching requests that get as far as the fault.
 */
export interface FaultMatch {
  /** A full key. */
  readonly key?: string | undefined;
  readonly account?: string | undefined;
  /** A model id. `*` matches any run of characters. */
  readonly model?: string | undefined;
  /**
   * `account` stands for routes about the key itself, such as OpenRouter's `GET /key`.
   * @defaultValue 'any' for `unauthorized` and `leaked`, else 'chat'
   */
  readonly route?: 'chat' | 'embeddings' | 'models' | 'account' | 'any' | undefined;
  /** The start in epoch ms, inclusive. */
  readonly from?: number | undefined;
  /** The end in epoch ms, exclusive. */
  readonly until?: number | undefined;
  /** The number of matching requests that pass first. */
  readonly skip?: number | undefined;
  /** The maximum number of requests that it applies to. */
  readonly times?: number | undefined;
  /** The share of matching requests that it applies to, 0 to 1, drawn from a seeded sequence. */
  readonly share?: number | undefined;
}

/** What is empty in an empty answer. */
export type EmptyForm = 'text' | 'choices' | 'body' | 'length';

/** A line ending of a stream. */
export type LineEnd = '\n' | '\r\n' | '\r';

/** A position in a stream. */
export interface InStream {
  /**
   * The number of tokens before the position. A token is a chunk with text, reasoning or a part of a tool call. The last
   * possible position is after the last token and before the finish.
   * @defaultValue half of the answer's tokens, rounded down
   */
  readonly afterTokens?: number | undefined;
}

/**
 * The effect of a fault. A request passes these steps in order:
 *
 * 1. Network edge: `reset`, `outage`, `forbidden`.
 * 2. Key: `unauthorized`, `leaked`, `echo-key`, then `out-of-credits`.
 * 3. Model: `retired`, `unknown-model`, `not-entitled`.
 * 4. Limits: the request counts against the limits, which `limits` changes.
 * 5. Model server: `hang`, `server-error`, `congested`, `moderated`, `unsupported`.
 * 6. Answer: `error-in-200`, `empty`, `malformed`, `garbage`, `cut`, `content-filter`. For embeddings `malformed`, `cut` and
 *    `bad-vectors`. For a stream also `stall`,
 *    `stream-error`, `garbage-chunk`, `first-event-error`, `json-instead`, `no-finish`, `endless`.
 *    Before all of these, `bills`.
 * 7. Form of an answer without any of these: `odd`. Form of a stream: `slow-drip`, `silent-comments`, `no-done`, `split`.
 *
 * `slow` delays any result. In each step, only the first matching fault applies, except in step 7, where all of them do.
 * Faults added at run time come before initial ones. A fault that only a stream can have ignores other requests and does
 * not count them.
 */
export type FaultEffect =
  /** The connection is reset before any answer. */
  | { readonly kind: 'reset' }
  /** The provider is down: a gateway's error page (or nothing) with a 5xx status, 502 by default. */
  | {
      readonly kind: 'outage';
      readonly status?: number | undefined;
      readonly as?: 'html' | 'text' | 'empty' | undefined;
    }
  /** The network edge or a region rule blocks all requests. */
  | { readonly kind: 'forbidden' }
  /** The key is invalid. With `from`, it is revoked at that moment. */
  | { readonly kind: 'unauthorized' }
  /** The key was leaked and blocked. */
  | { readonly kind: 'leaked' }
  /** The key is refused, and the body repeats it in full. `status` defaults to the provider's own. */
  | { readonly kind: 'echo-key'; readonly status?: number | undefined }
  /** The account has no credit left. */
  | { readonly kind: 'out-of-credits' }
  /** The model was retired. */
  | { readonly kind: 'retired' }
  /** The provider does not know the model. */
  | { readonly kind: 'unknown-model' }
  /** The account may not use the model: it has no free tier (`limit: 0`), or is closed to this account. */
  | { readonly kind: 'not-entitled'; readonly as?: 'limit-zero' | 'closed' | undefined }
  /** Changes the limits of the account or, with `model`, of that model. */
  | ({ readonly kind: 'limits' } & Limits)
  /** The request is accepted and never answered. */
  | { readonly kind: 'hang' }
  /** The provider's own error body with a 5xx status, 500 by default. */
  | {
      readonly kind: 'server-error';
      readonly status?: number | undefined;
      readonly retryAfterMs?: number | undefined;
    }
  /** The model is overloaded for all users. */
  | { readonly kind: 'congested'; readonly retryAfterMs?: number | undefined }
  /** A moderation filter refuses the input. */
  | { readonly kind: 'moderated' }
  /** The model refuses more parameters, or lacks more capabilities, than usual. */
  | {
      readonly kind: 'unsupported';
      readonly parameters?: readonly string[] | undefined;
      readonly capabilities?: readonly Capability[] | undefined;
    }
  /** An error with status 200: as the whole body, or in the choice. */
  | { readonly kind: 'error-in-200'; readonly as?: 'body' | 'choice' | undefined }
  /** Status 200 with an empty text, no choice, an empty body, or no text because `max_tokens` was spent (`length`). */
  | { readonly kind: 'empty'; readonly as?: EmptyForm | undefined }
  /** Status 200 with truncated JSON. In a stream, every chunk is truncated. */
  | { readonly kind: 'malformed' }
  /** Status 200 with JSON of an undocumented shape. In a stream, every chunk has it. */
  | { readonly kind: 'garbage' }
  /**
   * The connection breaks in the middle of the body. A stream ends there without a finish chunk, either by an orderly
   * close (the default) or by a connection reset.
   */
  | ({ readonly kind: 'cut'; readonly as?: 'close' | 'reset' | undefined } & InStream)
  /** A content filter stops the answer. */
  | { readonly kind: 'content-filter' }
  /**
   * Status 200 with vectors that cannot be used: one for all texts (`merged`, the default), one that is too short, with a
   * `null` or all zeros, or all with the same wrong number. Only of embeddings.
   */
  | {
      readonly kind: 'bad-vectors';
      readonly as?: 'merged' | 'shorter' | 'null' | 'zeros' | 'misnumbered' | undefined;
    }
  /** The stream stalls and stays open. With `comments`, a keep-alive comment follows every `everyMs` (1000). */
  | ({
      readonly kind: 'stall';
      readonly comments?: boolean | undefined;
      readonly everyMs?: number | undefined;
    } & InStream)
  /**
   * The stream ends with an error, followed by `[DONE]`: `data: {"error": …}` (`frame`, the default), the same with
   * `event: error`, or a chunk whose finish reason is `error`.
   */
  | ({ readonly kind: 'stream-error'; readonly as?: 'frame' | 'event' | 'finish' | undefined } & InStream)
  /** An additional chunk with truncated JSON. The stream goes on. */
  | ({ readonly kind: 'garbage-chunk' } & InStream)
  /** Status 200, and the first event of the stream is an error. */
  | { readonly kind: 'first-event-error' }
  /** The answer to a stream request is a plain JSON body. */
  | { readonly kind: 'json-instead' }
  /** The stream ends before the chunks with its finish reason and its usage, without `[DONE]`. */
  | { readonly kind: 'no-finish' }
  /** The stream repeats its tokens and never ends. Long words in the reply make it grow faster. */
  | { readonly kind: 'endless' }
  /** A delay before each token of the stream, in milliseconds. */
  | { readonly kind: 'slow-drip'; readonly betweenMs: number }
  /** Comments before the first event of the stream, one every `everyMs` (1000). */
  | {
      readonly kind: 'silent-comments';
      readonly count: number;
      readonly everyMs?: number | undefined;
    }
  /** The stream ends without `[DONE]`. */
  | { readonly kind: 'no-done' }
  /**
   * Splits the bytes of the stream into pieces of these sizes (cyclically), even within a character, and changes the line
   * endings. By default, each event is a piece, and lines end with `\n`.
   */
  | {
      readonly kind: 'split';
      readonly sizes?: readonly number[] | undefined;
      readonly lineEnds?: LineEnd | undefined;
    }
  /** The answer is whole, but oddly written. Ignores answers that the oddity does not suit. */
  | { readonly kind: 'odd'; readonly as: Oddity }
  /** The answer states a price, `usage.cost`: 0.00012 by default. Any other fault of the answer may apply as well. */
  | { readonly kind: 'bills'; readonly cost?: number | undefined }
  /** A delay before any result, in milliseconds. */
  | { readonly kind: 'slow'; readonly delayMs: number };

/** A fault: its effect, and the requests that it applies to. */
export type Fault = FaultEffect & FaultMatch;

export type FaultKind = Fault['kind'];
