/** The body of a chat request: stringified once for each way in which it has to be written, however many routes are tried. */

import type { TokenEstimate } from '../../core/routing/question.ts';
import { type ChatRequest, isOptionalField, type RequestFields } from './chat-request.ts';
import { refitFields, type RequestShape, shapeRequest } from './request-shape.ts';
import { estimateTokens } from './token-estimate.ts';
import { MENDS, MESSAGE_TRANSFORMS, type MessageTransformName } from './transforms.ts';

/** How a request is to be written for one model. */
export interface BodyFor {
  /** What its provider's data says. */
  readonly shape?: RequestShape | undefined;
  /** Fields that the model refused. */
  readonly drop?: readonly string[] | undefined;
  /** Capabilities that the model lacks. */
  readonly lacks?: readonly string[] | undefined;
  /** No answer may have more tokens; sent where the caller allows more or says nothing. */
  readonly maxTokens?: number | undefined;
  /** The model gives no answer of more tokens; sent where the caller allows more. */
  readonly maxOutput?: number | undefined;
}

/** What a model refused: fields by the names under which they were sent, and what it cannot do. */
export interface Refused {
  readonly parameters?: readonly string[] | undefined;
  readonly capabilities?: readonly string[] | undefined;
}

/** A request as text, but for the model. */
export interface ChatBody {
  readonly request: ChatRequest;
  /** The body's length in characters. */
  readonly size: number;
  /** How many tokens it has, about; counted when it is first asked for. */
  readonly tokens: TokenEstimate;
  /** The body for one model. */
  for(model: string, way: BodyFor): string;
  /** Whether it can be written so that it does without something of what was refused. */
  canDoWithout(refused: Refused, way: BodyFor): boolean;
}

/** The request as one provider takes it. */
interface Draft {
  readonly shape: RequestShape;
  readonly mends: string;
  readonly messages: string;
  readonly fields: RequestFields;
  /** All of the body behind the model. */
  readonly text: string;
}

const AS_IT_IS: RequestShape = {};
const NOTHING: readonly never[] = [];

function textOf(messages: string, fields: RequestFields): string {
  const rest = JSON.stringify(fields);
  return rest === '{}' ? `"messages":${messages}}` : `"messages":${messages},${rest.slice(1)}`;
}

function mendsOf(lacks: readonly string[]): readonly MessageTransformName[] {
  const mends = lacks.map((capability) => MENDS.get(capability));
  return mends.filter((name) => name !== undefined);
}

function fieldsFor(
  { fields }: Draft,
  { shape = AS_IT_IS, drop = NOTHING, maxTokens, maxOutput }: BodyFor,
): RequestFields {
  const { maxTokensField = 'max_tokens' } = shape;
  return refitFields(fields, { maxTokensField, maxTokens, maxOutput, drop });
}

class WrittenBody implements ChatBody {
  readonly request: ChatRequest;
  readonly size: number;
  readonly #whole: Draft;
  readonly #drafts: Draft[];
  #tokens: TokenEstimate | undefined;

  constructor(request: ChatRequest) {
    const messages = JSON.stringify(request.messages);
    const text = textOf(messages, request.fields);
    this.request = request;
    this.size = text.length;
    this.#whole = { shape: AS_IT_IS, mends: '', messages, fields: request.fields, text };
    this.#drafts = [this.#whole];
  }

  get tokens(): TokenEstimate {
    this.#tokens ??= estimateTokens(this.request);
    return this.#tokens;
  }

  for(model: string, way: BodyFor): string {
    const draft = this.#draftFor(way);
    const fields = fieldsFor(draft, way);
    const text = fields === draft.fields ? draft.text : textOf(draft.messages, fields);
    return `{"model":${JSON.stringify(model)},${text}`;
  }

  canDoWithout({ parameters = NOTHING, capabilities = NOTHING }: Refused, way: BodyFor): boolean {
    const sent = fieldsFor(this.#draftFor(way), way);
    if (parameters.some((name) => sent[name] !== undefined && isOptionalField(name, sent[name]))) return true;
    const untried = capabilities.filter((name) => way.lacks?.includes(name) !== true);
    const { messages } = this.request;
    return mendsOf(untried).some((name) => MESSAGE_TRANSFORMS[name](messages) !== messages);
  }

  #draftFor({ shape = AS_IT_IS, lacks = NOTHING }: BodyFor): Draft {
    const names = lacks.length === 0 ? NOTHING : mendsOf(lacks);
    const mends = names.join();
    const known = this.#drafts.find((draft) => draft.shape === shape && draft.mends === mends);
    if (known !== undefined) return known;
    const draft = { ...this.#write(shapeRequest(this.request, shape, names)), shape, mends };
    this.#drafts.push(draft);
    return draft;
  }

  #write(request: ChatRequest): Omit<Draft, 'shape' | 'mends'> {
    const whole = this.#whole;
    if (request === this.request) return whole;
    const messages =
      request.messages === this.request.messages ? whole.messages : JSON.stringify(request.messages);
    return { messages, fields: request.fields, text: textOf(messages, request.fields) };
  }
}

/** Prepares the body of a request. */
export function chatBody(request: ChatRequest): ChatBody {
  return new WrittenBody(request);
}
