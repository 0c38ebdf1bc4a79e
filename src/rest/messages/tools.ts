/** Reads the tools of the Messages API as OpenAI's. */

import { isJsonObject, type JsonObject, jsonText } from '../../core/json.ts';
import { HttpError } from '../../http-error.ts';
import { badBody } from '../body.ts';

export interface ReadTools {
  /** `tools`, `tool_choice` and `parallel_tool_calls`, as far as they are given. */
  readonly fields: JsonObject;
  /** The tools of Anthropic's own that no model here has, by name. */
  readonly leftOut: readonly string[];
}

interface Tools {
  readonly declared: readonly JsonObject[];
  readonly builtIn: readonly string[];
}

function readTools(tools: readonly unknown[]): Tools {
  const declared: JsonObject[] = [];
  const builtIn: string[] = [];
  for (const [index, tool] of tools.entries()) {
    const at = `tools[${index}]`;
    if (!isJsonObject(tool)) throw badBody(`${at}: must be a tool.`);
    const { name, type, description, input_schema: parameters, strict } = tool;
    if (type !== undefined && type !== null && type !== 'custom') {
      builtIn.push(typeof name === 'string' ? name : jsonText(type));
      continue;
    }
    if (typeof name !== 'string' || name === '') throw badBody(`${at}.name: must be a text.`);
    if (!isJsonObject(parameters)) throw badBody(`${at}.input_schema: must be a JSON schema.`);
    const given = { ...(description === undefined ? {} : { description }), parameters };
    const called = { name, ...given, ...(typeof strict === 'boolean' ? { strict } : {}) };
    declared.push({ type: 'function', function: called });
  }
  return { declared, builtIn };
}

function notHere(names: readonly string[]): HttpError {
  const message = `tool_choice: no model here has Anthropic's own tool ${names.map((name) => `"${name}"`).join(', ')}. Declare a tool of your own with a schema, or do not force it.`;
  return new HttpError({ status: 400, code: 'unsupported', message, param: 'tool_choice' });
}

/** OpenAI's choice; undefined if the tools that it could mean were left out. */
function readChoice(choice: unknown, { declared, builtIn }: Tools): unknown {
  if (choice === undefined) return undefined;
  if (!isJsonObject(choice)) throw badBody('tool_choice: must be an object with a type.');
  const { type, name } = choice;
  const isForced = type === 'any' || type === 'tool';
  const isBuiltIn = type === 'tool' ? builtIn.includes(String(name)) : declared.length === 0;
  if (isForced && isBuiltIn && builtIn.length > 0) throw notHere(builtIn);
  if (declared.length === 0) return undefined;
  if (type === 'tool') return { type: 'function', function: { name } };
  if (type === 'any') return 'required';
  if (type === 'auto' || type === 'none') return type;
  throw badBody('tool_choice.type: must be auto, any, tool or none.');
}

/** @throws HttpError that names a tool which cannot be read, or is forced and not here. */
export function readToolFields(tools: readonly unknown[], choice: unknown): ReadTools {
  const read = readTools(tools);
  const toolChoice = readChoice(choice, read);
  const isSingle = isJsonObject(choice) && choice['disable_parallel_tool_use'] === true;
  const { declared, builtIn } = read;
  return {
    fields: {
      ...(declared.length === 0 ? {} : { tools: declared }),
      ...(toolChoice === undefined ? {} : { tool_choice: toolChoice }),
      ...(isSingle && declared.length > 0 ? { parallel_tool_calls: false } : {}),
    },
    leftOut: builtIn,
  };
}
