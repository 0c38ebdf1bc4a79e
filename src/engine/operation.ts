/** What the loop carries out: how one kind of request is written, read and judged. */

import type { Failure } from '../core/failure.ts';
import type { RequestNeeds, Target } from '../core/routing/question.ts';
import type { ReportedQuota } from '../core/limits/limit.ts';
import type { ModelRecord } from '../core/records/provider.ts';
import type { TokensUsed } from '../core/ledger/settle-limits.ts';
import type { HttpRequest, HttpResponse } from '../ports.ts';
import type { AttemptTimer } from './attempt-timer.ts';

/** An answer with a good status that turned out to be none; `classify` says what it means. */
export class BadAnswer extends Error {
  static override readonly name: string = 'BadAnswer';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** What an answer belongs to. */
export interface Asked<Request> {
  readonly target: Target;
  readonly request: Request;
  /** Told of content and of signs of life, so that it knows for what the provider is being waited. */
  readonly timer: AttemptTimer;
}

/** The route that a request was written for, and what was known of it then. */
export interface Sent {
  readonly target: Target;
  readonly known: ModelRecord;
}

/** One kind of operation. Chat, streaming and embeddings are records of this. */
export interface Operation<Request, Part> {
  needs(request: Request): RequestNeeds;
  /**
   * The request for one route, as far as it is known what its model takes.
   * @param maxTokens - The most tokens that the answer may have; sent where the caller allows more or says nothing.
   */
  encode(request: Request, target: Target, known: ModelRecord, maxTokens: number | undefined): HttpRequest;
  /** The parts of an answer with status 200. Throws {@link BadAnswer} when it is none. */
  decode(response: HttpResponse, asked: Asked<Request>): AsyncIterable<Part>;
  /** The tokens of this attempt that a part tells, where it does. */
  tokensOf(part: Part, request: Request): TokensUsed | undefined;
  /** The quotas that an answer states beside its parts. */
  observe(response: HttpResponse, target: Target): readonly ReportedQuota[];
  /** What an answer with another status means. */
  classify(response: HttpResponse, target: Target): Promise<Failure>;
  /** Whether the request can be written so that it does without something of what the model has refused. */
  canDoWithout(request: Request, refused: Failure, sent: Sent): boolean;
  /** Whether another route may go on with a request of which parts were handed out already. */
  resumable(request: Request): boolean;
}
