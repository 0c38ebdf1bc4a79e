/** A chat request in OpenAI's dialect, and its body for one model. */

/** A message, as on OpenAI's wire. Fields that freelm does not know are passed on. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: string | readonly ContentPart[] | null | undefined;
  readonly name?: string | undefined;
  readonly tool_calls?: readonly unknown[] | undefined;
  readonly tool_call_id?: string | undefined;
  readonly [field: string]: unknown;
}

/** A part of a message: text, an image, or what else the model takes. */
export interface ContentPart {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A request before it is known which model serves it. */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  /** The fields that go to the model under the wire's names, e.g. `temperature`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A request as text, but for the model: stringified once, however many routes are tried. */
export interface ChatBody {
  readonly request: ChatRequest;
  /** The body's length in characters. */
  readonly size: number;
  /** The body for one model, without the fields named in `drop`. */
  for(model: string, drop: readonly string[]): string;
}

function stringify(request: ChatRequest, drop: readonly string[]): string {
  const fields = Object.entries(request.fields).filter(
    ([name, value]) => value !== undefined && !drop.includes(name),
  );
  return JSON.stringify({ messages: request.messages, ...Object.fromEntries(fields) }).slice(1);
}

/** Prepares the body of a request. */
export function chatBody(request: ChatRequest): ChatBody {
  const whole = stringify(request, []);
  return {
    request,
    size: whole.length,
    for: (model, drop) => {
      const concerned = drop.some((name) => request.fields[name] !== undefined);
      return `{"model":${JSON.stringify(model)},${concerned ? stringify(request, drop) : whole}`;
    },
  };
}

/** Fields whose absence changes what the answer is; the others only change how it sounds. */
const REQUIRED_FIELDS: ReadonlySet<string> = new Set([
  'messages',
  'model',
  'tools',
  'tool_choice',
  'response_format',
  'n',
  'stream',
]);

/** Whether a field may be left out where a model refuses it. */
export function isOptionalField(name: string): boolean {
  return !REQUIRED_FIELDS.has(name);
}

/** The fields of a request that may not be left out. */
export function requiredFieldsOf(request: ChatRequest): readonly string[] {
  return Object.keys(request.fields).filter(
    (name) => request.fields[name] !== undefined && !isOptionalField(name),
  );
}

/** The capabilities that a model must have to serve a request. */
export function capabilitiesOf(request: ChatRequest): readonly string[] {
  const needed: string[] = [];
  if (Array.isArray(request.fields['tools']) && request.fields['tools'].length > 0) needed.push('tools');
  const hasImage = request.messages.some(
    ({ content }) => Array.isArray(content) && content.some((part: ContentPart) => part.type === 'image_url'),
  );
  if (hasImage) needed.push('vision');
  return needed;
}
