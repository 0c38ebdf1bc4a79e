import { forModel, hasNotes } from '../origin.ts';
import { featuresOf, plainFeaturesOf } from './features.ts';
import type { TokenEstimate } from '../../core/routing/question.ts';
import { type ChatRequest, type RequestFields } from './chat-request.ts';
import { type DeclaredTools, declaredTools } from './declared-tools.ts';
import { lawfulNamesOf } from './function-names.ts';
import { RemoteImages } from './remote-images.ts';
import { fieldsForModel, type RequestShape, shapeRequest } from './request-shape.ts';
import { soundRequest, wellFormedJson } from './sound-request.ts';
import { estimateTokens } from './token-estimate.ts';
import { withParts, workaroundsFor } from './transforms.ts';

/** How a body is written for one model. */
export interface BodyOptions {
  /** The shape from the provider's file. */
  readonly shape?: RequestShape | undefined;
  /** The name of the model's provider: what other models gave for themselves is left out. */
  readonly provider?: string | undefined;
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
  /** The images that it names by URL. */
  readonly images: RemoteImages;
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
  /** The model, if messages say which one gave what. */
  readonly reader: string;
  /** Whether it has images themselves in place of their URLs. */
  readonly inlined: boolean;
  readonly messages: string;
  readonly fields: RequestFields;
  /** The whole body after the model. */
  readonly text: string;
}

const NO_SHAPE: RequestShape = {};
const NONE: readonly never[] = [];
/** A model lacks it if it wants its reasoning back. */
const REASONING_BACK = 'reasoning_back';
/** A model lacks it if it takes images, but not by URL. */
const IMAGE_URL = 'image_url';

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

/** Whether a model gets images themselves in place of their URLs. */
// spec 12.16
export function inlinesImages({ shape = NO_SHAPE, lacks = NONE }: BodyOptions): boolean {
  return shape.fetchesImages === false || lacks.includes(IMAGE_URL);
}

class WrittenBody implements ChatBody {
  readonly request: ChatRequest;
  readonly size: number;
  readonly images: RemoteImages;
  readonly #original: Variant;
  readonly #variants: Variant[];
  #tokens: TokenEstimate | undefined;
  #features: readonly string[] | undefined;
  #plainFeatures: readonly string[] | undefined;
  #names: ReadonlyMap<string, string> | undefined;
  #tools: DeclaredTools | undefined;
  readonly #hasNotes: boolean;

  constructor(given: ChatRequest, images = new RemoteImages(given.messages)) {
    const request = soundRequest(given);
    this.images = images;
    const messages = jsonOf(request.messages);
    const text = textOf(messages, request.fields);
    this.request = request;
    this.size = text.length;
    this.#hasNotes = hasNotes(request.messages);
    this.#original = {
      shape: NO_SHAPE,
      plain: false,
      workarounds: '',
      reader: '',
      inlined: false,
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
    const variant = this.#variantFor(model, options);
    const fields = fieldsOf(variant, options);
    const text = fields === variant.fields ? variant.text : textOf(variant.messages, fields);
    return `{"model":${JSON.stringify(model)},${text}`;
  }

  // spec 8.2
  canDoWithout({ parameters = NONE, capabilities = NONE }: Refused, options: BodyOptions): boolean {
    const { drop = NONE, lacks = NONE } = options;
    if (capabilities.includes(IMAGE_URL) && !inlinesImages(options) && this.#canInline()) return true;
    const without = { ...options, drop: [...drop, ...parameters], lacks: [...lacks, ...capabilities] };
    return this.for('', without) !== this.for('', options);
  }

  #canInline(): boolean {
    return this.images.urls.length > 0 && this.images.problem === undefined;
  }

  nameOf(sent: string): string {
    this.#names ??= new Map([...lawfulNamesOf(this.request)].map(([given, lawful]) => [lawful, given]));
    return this.#names.get(sent) ?? sent;
  }

  #variantFor(model: string, options: BodyOptions): Variant {
    const { shape = NO_SHAPE, lacks = NONE, plain = false, provider = '' } = options;
    const inlined = this.images.areRead && inlinesImages(options);
    const names = lacks.length === 0 ? NONE : workaroundsFor(lacks);
    const workarounds = names.join();
    const reader = this.#hasNotes ? `${provider}/${model}` : '';
    const known = this.#variants.find(
      (variant) =>
        variant.shape === shape &&
        variant.workarounds === workarounds &&
        variant.plain === plain &&
        variant.reader === reader &&
        variant.inlined === inlined,
    );
    if (known !== undefined) return known;
    const wantsReasoning = lacks.includes(REASONING_BACK);
    const { fields } = this.request;
    const messages = this.#hasNotes
      ? forModel(this.request.messages, { provider, model, wantsReasoning })
      : this.request.messages;
    const sent = inlined ? this.images.inlined(messages) : messages;
    const request = withParts(this.request, sent, fields);
    const written = this.#write(shapeRequest(request, shape, { plain, workarounds: names }));
    const variant = { ...written, shape, plain, workarounds, reader, inlined };
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

/**
 * Prepares the body of a request.
 * @param images - Those of another form of the same request, so that they are read once.
 */
export function chatBody(request: ChatRequest, images?: RemoteImages): ChatBody {
  return new WrittenBody(request, images);
}
