/** The tools that a request declares. */

import { elementsOf, isJsonObject, type JsonObject, member } from '../../core/json.ts';
import type { ChatRequest } from './chat-request.ts';
import { lawfulNamesOf } from './function-names.ts';

/** By the name of each declared tool: the JSON schema of its arguments, `{}` if it has none. */
export type DeclaredTools = ReadonlyMap<string, JsonObject>;

const NO_TOOLS: DeclaredTools = new Map();

/** The tools that an answer may call, under the caller's names and those that may be sent in their place. */
export function declaredTools(request: ChatRequest): DeclaredTools {
  const { tools, tool_choice: choice } = request.fields;
  if (choice === 'none' || !Array.isArray(tools)) return NO_TOOLS;
  const lawful = lawfulNamesOf(request);
  const declared = new Map<string, JsonObject>();
  for (const tool of elementsOf(tools)) {
    const called = member(tool, 'function');
    const name = member(called, 'name');
    if (typeof name !== 'string') continue;
    const parameters = member(called, 'parameters');
    const schema = isJsonObject(parameters) ? parameters : {};
    declared.set(name, schema);
    declared.set(lawful.get(name) ?? name, schema);
  }
  return declared;
}
