import type { Failure } from '../core/failure.ts';
import type { ReportedQuota } from '../core/limits/limit.ts';
import type { OperationName } from '../core/operations.ts';
import type { ModelRecord } from '../core/records/provider.ts';
import type { RequestNeeds, Target } from '../core/routing/question.ts';
import type { HttpRequest, HttpResponse } from '../ports.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import type { AttemptTimer } from './attempt-timer.ts';

/** Thrown when an answer with status 200 turns out to be a failure. */
export class BadAnswer extends Error {
  static override readonly name: string = 'BadAnswer';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The plan of an attempt: its route, and the decisions of the ledger about it. */
export interface AttemptPlan {
  readonly target: Target;
  /** Whether another provider could serve the call now. */
  readonly alternatives: boolean;
  /** What is known about the route's model. */
  readonly known: ModelRecord;
  /** Whether the request is sent in its plain form, because a model rejected it otherwise. */
  readonly plain: boolean;
  /** The most tokens that the answer may have. Sent if the caller allows more or sets no limit. */
  readonly maxTokens: number | undefined;
}

/** The context for reading an answer. */
export interface DecodeContext<Request> {
  readonly plan: AttemptPlan;
  readonly request: Request;
  /** Must be told about content and keep-alives, which move its limits. */
  readonly timer: AttemptTimer;
  /** Receives the tokens that the provider reported for this attempt, even if the answer broke off. */
  readonly onUsage: (usage: TokenUsage) => void;
}

/** The context of {@link Operation.prepare}. */
export interface PrepareContext {
  readonly signal: AbortSignal | undefined;
  /** Monotonic ms. */
  readonly deadline: number;
}

/** One kind of request: how it is written and judged. */
export interface Operation<Request> {
  /** Its row in `spec/operations.json`. */
  readonly name: OperationName;
  needs(request: Request): RequestNeeds;
  /**
   * Completes a request that cannot be written for a route yet. Undefined if the request is complete. Resolves with a
   * failure if it can never be written. Rejects with the signal's reason.
   */
  prepare?(
    request: Request,
    plan: AttemptPlan,
    context: PrepareContext,
  ): Promise<Failure | undefined> | undefined;
  /** Writes the request for one route in the form that its model is known to accept. */
  encode(request: Request, plan: AttemptPlan): HttpRequest;
  /** Reads the quotas that an answer reports in its headers. */
  observe(response: HttpResponse, target: Target): readonly ReportedQuota[];
  /** Judges an answer with any other status. */
  classify(response: HttpResponse, target: Target): Promise<Failure>;
  /** Whether the request can be written without something that the model refused. */
  canDoWithout(request: Request, refused: Failure, plan: AttemptPlan): boolean;
  /** Whether another route may continue a request after some of its parts were delivered. */
  resumable(request: Request): boolean;
}

/** A request whose answer comes whole. */
export interface WholeOperation<Request, Answer> extends Operation<Request> {
  /** Reads an answer with status 200. Rejects with {@link BadAnswer} if it is a failure. */
  read(response: HttpResponse, context: DecodeContext<Request>): Promise<Answer>;
}

/** A request whose answer comes in parts. */
export interface StreamOperation<Request, Part> extends Operation<Request> {
  /** Reads the parts of an answer with status 200. Throws {@link BadAnswer} if it is a failure. */
  decode(response: HttpResponse, context: DecodeContext<Request>): AsyncIterable<Part>;
  /** Whether a part belongs to the answer, as reasoning does not. */
  isAnswer(part: Part): boolean;
}
