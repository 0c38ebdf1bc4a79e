import { elementsOf, member } from '../../core/json.ts';

/** A message in OpenAI's format. Unknown fields are passed on. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: string | readonly ContentPart[] | null | undefined;
  readonly name?: string | undefined;
  readonly tool_calls?: readonly unknown[] | undefined;
  readonly tool_call_id?: string | undefined;
  readonly [field: string]: unknown;
}

/** A part of a message: text, an image, or another type that the model accepts. */
export interface ContentPart {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The other fields of a request under OpenAI's names, e.g. `temperature`. */
export type RequestFields = Readonly<Record<string, unknown>>;

/** A chat request before a model is chosen. */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly fields: RequestFields;
}

/** Fields that determine what the answer is, each with a test for the values that mean the same as its absence. */
const REQUIRED_FIELDS: ReadonlyMap<string, (value: unknown) => boolean> = new Map<
  string,
  (value: unknown) => boolean
>([
  ['messages', () => false],
  ['model', () => false],
  ['stream', (value) => value === false],
  ['n', (value) => value === 1],
  ['tools', (value) => Array.isArray(value) && value.length === 0],
  ['tool_choice', (value) => value === 'auto'],
  ['response_format', (value) => member(value, 'type') === 'text'],
]);

/** Whether a field may be dropped if a model refuses it. Dropping an optional field only changes the style of the answer. */
// spec 8.2
export function isOptionalField(name: string, value: unknown): boolean {
  return REQUIRED_FIELDS.get(name)?.(value) ?? true;
}

/**
 * The fields of a request that must not be dropped; one with a type also as `field:type`, since a model may take one type
 * and refuse another. spec 7.17
 */
export function requiredFieldsOf({ fields }: ChatRequest): readonly string[] {
  const required: string[] = [];
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value === undefined || isOptionalField(name, value)) continue;
    required.push(name);
    const type = member(value, 'type');
    if (typeof type === 'string') required.push(`${name}:${type}`);
  }
  return required;
}

/** By the type of a part: the capability of the models that take it. */
const CAPABILITY_OF: ReadonlyMap<unknown, string> = new Map([
  ['image_url', 'vision'],
  ['input_audio', 'audio'],
  ['audio_url', 'audio'],
  ['file', 'file'],
  ['video_url', 'video'],
]);

/** The capabilities that a model needs for a request. */
// spec 9.6
export function capabilitiesOf({ messages, fields }: ChatRequest): readonly string[] {
  const needed: string[] = [];
  if (elementsOf(fields['tools']).length > 0) {
    needed.push('tools');
    const { response_format: format } = fields;
    if (format !== undefined && !isOptionalField('response_format', format)) needed.push('json_with_tools');
  }
  const media: string[] = [];
  for (const { content } of messages) {
    for (const part of elementsOf(content)) {
      const capability = CAPABILITY_OF.get(member(part, 'type'));
      if (capability !== undefined) media.push(capability);
    }
  }
  if (media.length === 0) return needed;
  needed.push(...new Set(media));
  if (media.filter((capability) => capability === 'vision').length > 1) needed.push('many_images');
  return needed;
}
