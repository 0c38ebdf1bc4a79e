/** A chat request in OpenAI's dialect, and what it asks of a model. */

import { elementsOf, member } from '../../core/json.ts';

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

/** The fields of a request that go to the model under the wire's names, e.g. `temperature`. */
export type RequestFields = Readonly<Record<string, unknown>>;

/** A request before it is known which model serves it. */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly fields: RequestFields;
}

/** Fields whose absence changes what the answer is, each with the values that say no more than its absence. */
const REQUIRED_FIELDS: ReadonlyMap<string, (value: unknown) => boolean> = new Map<
  string,
  (value: unknown) => boolean
>([
  ['messages', () => false],
  ['model', () => false],
  ['stream', () => false],
  ['n', (value) => value === 1],
  ['tools', (value) => Array.isArray(value) && value.length === 0],
  ['tool_choice', (value) => value === 'auto'],
  ['response_format', (value) => member(value, 'type') === 'text'],
]);

/** Whether a field may be left out where a model refuses it: without it the answer only sounds otherwise. */
export function isOptionalField(name: string, value: unknown): boolean {
  return REQUIRED_FIELDS.get(name)?.(value) ?? true;
}

/** The fields of a request that may not be left out. */
export function requiredFieldsOf({ fields }: ChatRequest): readonly string[] {
  return Object.keys(fields).filter(
    (name) => fields[name] !== undefined && !isOptionalField(name, fields[name]),
  );
}

/** The capabilities that a model must have to serve a request. */
export function capabilitiesOf({ messages, fields }: ChatRequest): readonly string[] {
  const needed: string[] = [];
  if (elementsOf(fields['tools']).length > 0) needed.push('tools');
  const hasImage = messages.some(({ content }) =>
    elementsOf(content).some((part) => member(part, 'type') === 'image_url'),
  );
  if (hasImage) needed.push('vision');
  return needed;
}
