import { elementsOf, member } from '../../core/json.ts';
import { type ChatRequest, isOptionalField } from './chat-request.ts';
import { PLAIN, withTransforms } from './transforms.ts';

const LONGEST_NAME = 40;
const MOST_FEATURES = 60;

/** A field's name. Providers differ in how large a number they take. */
function fieldFeature(name: string, value: unknown): string {
  const range = typeof value === 'number' && (value > 1 || value < 0) ? (value > 1 ? '>1' : '<0') : '';
  return `${isOptionalField(name, value) ? '-' : ''}${name.slice(0, LONGEST_NAME)}${range}`;
}

/**
 * What a model may not like about a request, sorted: its roles, its parts, its fields, and each transform of the plain form
 * that would change it. spec 8.5
 */
export function featuresOf(request: ChatRequest): readonly string[] {
  const { messages, fields } = request;
  const found = new Set<string>();
  let before: string | undefined;
  for (const { role, content, tool_calls: calls } of messages) {
    if (role !== 'user') found.add(role);
    if (role === before) found.add(`repeated-${role}`);
    before = role;
    if (Array.isArray(content)) found.add('list');
    for (const part of elementsOf(content))
      found.add(`part-${String(member(part, 'type')).slice(0, LONGEST_NAME)}`);
    if (elementsOf(calls).length > 0) found.add('calls');
  }
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && name !== 'stream') found.add(fieldFeature(name, value));
  }
  for (const name of PLAIN) if (withTransforms(request, [name]) !== request) found.add(`~${name}`);
  return [...found].slice(0, MOST_FEATURES).toSorted();
}

/** The features of a request in its plain form. spec 12.12 */
export function plainFeaturesOf(request: ChatRequest): readonly string[] {
  return featuresOf(withTransforms(request, PLAIN));
}
