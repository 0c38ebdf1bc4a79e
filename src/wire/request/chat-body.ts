import { featuresOf, plainFeaturesOf } from './features.ts';
import type { TokenEstimate } from '../../core/routing/question.ts';
import { type ChatRequest, type RequestFields } from './chat-request.ts';
import { type DeclaredTools, declaredTools } from './declared-tools.ts';
import { lawfulNamesOf } from './function-names.ts';
import { fieldsForModel, type RequestShape, shapeRequest } from './request-shape.ts';
import { soundRequest, wellFormedJson } from './sound-request.ts';
import { estimateTokens } from './token-estimate.ts';
import { workaroundsFor } from './transforms.ts';

/** How a body is written for one model. */
export interface BodyOptions {
  /** The shape from the provider's file. */
  readonly shape?: RequestShape | undefined;
  /** Fields that the model refused. */
  readonly drop?: readonly string[] | undefined;
  /** Capabilities that the model lacks. */
  readonly lacks?: readonly string[] | undefined;
  /** Whether to send the form that most servers take, without uncommon fields. Default false. */
  readonly plain?: boolean | undefined;
  /** The tokens granted to the answer; sent if the caller allows more or sets no limit. */
  readonly maxTokens?: number | undefined;
  /** The model's longest answer in tokens; sent if the caller allows more. */
  readonly maxOutput?: number | undefined;
}

/** What a model refused: fields under the names that were sent, and capabilities. */
export interface Refused {
  readonly parameters?: readonly string[] | undefined;
  readonly capabilities?: readonly string[] | undefined;
}

/** A request as JSON text. Each variant is written once, however many routes are tried. */
export interface ChatBody {
  /** The request, made sound. */
  readonly request: ChatRequest;
  /** The body's length in characters, without the model. */
  readonly size: number;
  /** Estimated on first access. */
  readonly tokens: TokenEstimate;
  /** The features of its usual or its plain form, computed on first use. spec 8.5 */
  features(plain: boolean): readonly string[];
  /** The schemas of the tools that may be called, under the caller's names and those that are sent. */
  readonly tools: DeclaredTools;
  /** The body for one model. */
  for(model: string, options: BodyOptions): string;
  /** Whether the request can be written without something that was refused. */
  canDoWithout(refused: Refused, options: BodyOptions): boolean;
  /** The caller's name of a function that an answer names. Another one may have been sent. */
  nameOf(sent: string): string;
}

/** The request as written for one provider shape and one set of workarounds. */
interface Variant {
  readonly shape: RequestShape;
  readonly plain: boolean;
  readonly workarounds: string;
  readonly messages: string;
  readonly fields: RequestFields;
  /** The whole body after the model. */
  readonly text: string;
}

const NO_SHAPE: RequestShape = {};
const NONE: readonly never[] = [];

function jsonOf(value: ChatRequest['messages'] | RequestFields): string {
  const json = JSON.stringify(value);
  // It writes lone surrogates in lower case.
  return json.includes('\\ud') ? wellFormedJson(json) : json;
}

function textOf(messages: string, fields: RequestFields): string {
  const rest = jsonOf(fields);
  return rest === '{}' ? `"messages":${messages}}` : `"messages":${messages},${rest.slice(1)}`;
}

function fieldsOf(
  { fields }: Variant,
  { shape = NO_SHAPE, drop = NONE, maxTokens, maxOutput }: BodyOptions,
): RequestFields {
  const { maxTokensField = 'max_tokens' } = shape;
  return fieldsForModel(fields, { maxTokensField, maxTokens, maxOutput, drop });
}

class WrittenBody implements ChatBody {
  readonly request: ChatRequest;
  readonly size: number;
  readonly #original: Variant;
  readonly #variants: Variant[];
  #tokens: TokenEstimate | undefined;
  #features: readonly string[] | undefined;
  #plainFeatures: readonly string[] | undefined;
  #names: ReadonlyMap<string, string> | undefined;
  #tools: DeclaredTools | undefined;

  constructor(given: ChatRequest) {
    const request = soundRequest(given);
    const messages = jsonOf(request.messages);
    const text = textOf(messages, request.fields);
    this.request = request;
    this.size = text.length;
    this.#original = {
      shape: NO_SHAPE,
      plain: false,
      workarounds: '',
      messages,
      fields: request.fields,
      text,
    };
    this.#variants = [this.#original];
  }

  get tokens(): TokenEstimate {
    this.#tokens ??= estimateTokens(this.request);
    return this.#tokens;
  }

  features(plain: boolean): readonly string[] {
    if (plain) return (this.#plainFeatures ??= plainFeaturesOf(this.request));
    return (this.#features ??= featuresOf(this.request));
  }

  get tools(): DeclaredTools {
    this.#tools ??= declaredTools(this.request);
    return this.#tools;
  }

  for(model: string, options: BodyOptions): string {
    const variant = this.#variantFor(options);
    const fields = fieldsOf(variant, options);
    const text = fields === variant.fields ? variant.text : textOf(variant.messages, fields);
    return `{"model":${JSON.stringify(model)},${text}`;
  }

  // spec 8.2
  canDoWithout({ parameters = NONE, capabilities = NONE }: Refused, options: BodyOptions): boolean {
    const { drop = NONE, lacks = NONE } = options;
    const without = { ...options, drop: [...drop, ...parameters], lacks: [...lacks, ...capabilities] };
    return this.for('', without) !== this.for('', options);
  }

  nameOf(sent: string): string {
    this.#names ??= new Map([...lawfulNamesOf(this.request)].map(([given, lawful]) => [lawful, given]));
    return this.#names.get(sent) ?? sent;
  }

  #variantFor({ shape = NO_SHAPE, lacks = NONE, plain = false }: BodyOptions): Variant {
    const names = lacks.length === 0 ? NONE : workaroundsFor(lacks);
    const workarounds = names.join();
    const known = this.#variants.find(
      (variant) => variant.shape === shape && variant.workarounds === workarounds && variant.plain === plain,
    );
    if (known !== undefined) return known;
    const written = this.#write(shapeRequest(this.request, shape, { plain, workarounds: names }));
    const variant = { ...written, shape, plain, workarounds };
    this.#variants.push(variant);
    return variant;
  }

  #write(request: ChatRequest): Pick<Variant, 'messages' | 'fields' | 'text'> {
    const original = this.#original;
    if (request === this.request) return original;
    const messages =
      request.messages === this.request.messages ? original.messages : jsonOf(request.messages);
    return { messages, fields: request.fields, text: textOf(messages, request.fields) };
  }
}

/** Prepares the body of a request. */
export function chatBody(request: ChatRequest): ChatBody {
  return new WrittenBody(request);
}
