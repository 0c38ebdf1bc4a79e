/** The operation that asks for a JSON value: it judges each answer by a schema, and shows a model its mistakes once. */

import type { Failure } from '../core/failure.ts';
import type { Route } from '../core/pool.ts';
import type { HttpRequest, HttpResponse } from '../ports.ts';
import type { JsonAnswer } from '../wire/repair/json-answer.ts';
import { problemsText, type SchemaProblem } from '../wire/repair/sound-arguments.ts';
import { chatBody, type ChatBody } from '../wire/request/chat-body.ts';
import type { ChatMessage, ChatRequest } from '../wire/request/chat-request.ts';
import { RemoteImages } from '../wire/request/remote-images.ts';
import {
  formatInstruction,
  type FormatLevel,
  formatLevel,
  type OutputFormat,
  SCHEMA_FIELD,
  withFormat,
} from '../wire/request/output-format.ts';
import type { ChatCompletion } from '../wire/response/chat-response.ts';
import type { StreamBatch, StreamRequest } from './chat-stream.ts';
import {
  type AttemptPlan,
  BadAnswer,
  type DecodeContext,
  type StreamOperation,
  type WholeOperation,
} from './operation.ts';

/** A whole answer, and the value that it has. */
export interface ObjectAnswer<T> {
  readonly completion: ChatCompletion;
  readonly value: T;
}

/** An answer that broke the schema. */
interface Mistake {
  readonly text: string;
  readonly problems: readonly SchemaProblem[];
  /** How many answers of this route broke the schema. */
  readonly count: number;
}

/** The most characters of a wrong answer that its model is shown again. */
const MAX_SHOWN = 20_000;
function routeName({ provider, model }: Route): string {
  return `${provider} ${model}`;
}

/** A request for a JSON value, and the mistakes that were made in answer to it. */
export class ObjectRequest<T> {
  readonly #request: ChatRequest;
  readonly #images: RemoteImages;
  readonly #format: OutputFormat;
  readonly #read: (text: string) => Promise<JsonAnswer<T>>;
  readonly #bodies = new Map<FormatLevel, ChatBody>();
  readonly #mistakes = new Map<string, Mistake>();

  /** @param read - Reads and judges the text of an answer. */
  constructor(request: ChatRequest, format: OutputFormat, read: (text: string) => Promise<JsonAnswer<T>>) {
    this.#request = request;
    this.#images = new RemoteImages(request.messages);
    this.#format = format;
    this.#read = read;
  }

  body(level: FormatLevel): ChatBody {
    let body = this.#bodies.get(level);
    if (body === undefined) {
      body = chatBody(withFormat(this.#request, this.#format, level), this.#images);
      this.#bodies.set(level, body);
    }
    return body;
  }

  /** The body for a route. After a mistake, it contains the wrong answer and what is wrong with it. */
  bodyFor(route: Route, level: FormatLevel): ChatBody {
    const body = this.body(level);
    const mistake = this.#mistakes.get(routeName(route));
    if (mistake === undefined) return body;
    const messages: readonly ChatMessage[] = [
      ...body.request.messages,
      { role: 'assistant', content: mistake.text.trim() === '' ? '(no text)' : mistake.text },
      {
        role: 'user',
        content: `That answer cannot be used: ${this.#problemsText(mistake.problems)}.\n${formatInstruction(this.#format)}`,
      },
    ];
    return chatBody({ ...body.request, messages }, this.#images);
  }

  /** The value of an answer. @throws BadAnswer if it breaks the schema. */
  async read(completion: ChatCompletion, route: Route, level: FormatLevel): Promise<ObjectAnswer<T>> {
    const found = await this.#read(completion.text);
    if (found.ok) return { completion, value: found.value };
    const name = routeName(route);
    const count = (this.#mistakes.get(name)?.count ?? 0) + 1;
    this.#mistakes.set(name, { text: completion.text.slice(0, MAX_SHOWN), problems: found.problems, count });
    const message = `the answer broke the schema: ${this.#problemsText(found.problems)}`;
    // A model that answers with prose does not know the field.
    const isIgnored = found.problems.length === 0 && level === 'schema';
    const parameters = isIgnored ? { parameters: [SCHEMA_FIELD] } : {};
    throw new BadAnswer({ kind: 'invalid_output', scope: 'model', message, ...parameters });
  }

  #problemsText(problems: readonly SchemaProblem[]): string {
    return problems.length === 0 ? 'it has no JSON value' : problemsText(problems, this.#format.schema);
  }

  /** Whether a route has made its first mistake, and may mend it. */
  mayMend(route: Route): boolean {
    return this.#mistakes.get(routeName(route))?.count === 1;
  }
}

/** A request for a stream of a JSON value. */
export interface ObjectStreamRequest {
  readonly object: ObjectRequest<unknown>;
  readonly stream: Omit<StreamRequest, 'body'>;
}

/** Builds the operation that streams a JSON value from a pool's stream operation. No route continues half a value. */
export function objectStreamOperation(
  inner: StreamOperation<StreamRequest, StreamBatch>,
): StreamOperation<ObjectStreamRequest, StreamBatch> {
  const streamFor = ({ object, stream }: ObjectStreamRequest, level: FormatLevel): StreamRequest => ({
    ...stream,
    body: object.body(level),
  });
  return {
    name: 'stream',
    needs: (request) => inner.needs(streamFor(request, 'text')),
    prepare: (request, plan, context) => inner.prepare?.(streamFor(request, 'text'), plan, context),
    encode: (request, plan) => inner.encode(streamFor(request, levelFor(plan)), plan),
    decode: (response, context) =>
      inner.decode(response, { ...context, request: streamFor(context.request, levelFor(context.plan)) }),
    observe: (response, target) => inner.observe(response, target),
    classify: (response, target) => inner.classify(response, target),
    canDoWithout(request, refused, plan) {
      const level = levelFor(plan);
      return takesAnother(plan, refused) || inner.canDoWithout(streamFor(request, level), refused, plan);
    },
    resumable: ({ stream }) => !stream.transcript.any,
    isAnswer: () => true,
  };
}

/** Whether a refusal shows that the model takes the format in another way. */
function takesAnother(plan: AttemptPlan, { parameters = [] }: Failure): boolean {
  const refuses = [...(plan.known.refuses ?? []), ...parameters];
  return !plan.plain && formatLevel(refuses) !== levelFor(plan);
}

function levelFor({ known, plain }: AttemptPlan): FormatLevel {
  return plain ? 'text' : formatLevel(known.refuses ?? []);
}

/** Builds the operation that asks for a JSON value from a pool's chat operation. */
// spec 13.12
export function objectOperation<T>(
  chat: WholeOperation<ChatBody, ChatCompletion>,
): WholeOperation<ObjectRequest<T>, ObjectAnswer<T>> {
  return {
    name: 'object',
    // Every model can be asked in words.
    needs: (request) => chat.needs(request.body('text')),
    prepare: (request, plan, context) => chat.prepare?.(request.body('text'), plan, context),
    encode(request: ObjectRequest<T>, plan: AttemptPlan): HttpRequest {
      return chat.encode(request.bodyFor(plan.target.route, levelFor(plan)), plan);
    },
    async read(response: HttpResponse, context: DecodeContext<ObjectRequest<T>>): Promise<ObjectAnswer<T>> {
      const { request, plan } = context;
      const level = levelFor(plan);
      const completion = await chat.read(response, { ...context, request: request.body(level) });
      return request.read(completion, plan.target.route, level);
    },
    observe: (response, target) => chat.observe(response, target),
    classify: (response, target) => chat.classify(response, target),
    canDoWithout(request: ObjectRequest<T>, refused: Failure, plan: AttemptPlan): boolean {
      const { route } = plan.target;
      if (refused.kind === 'invalid_output') return request.mayMend(route);
      return takesAnother(plan, refused) || chat.canDoWithout(request.body(levelFor(plan)), refused, plan);
    },
    resumable: () => true,
  };
}
