/**
 * The tools of a request. Models accept functions only, so freelm sends each other kind of tool as a function, and
 * translates its calls back.
 */

import { elementsOf, isJsonObject, type JsonObject, member, parseJson } from '../../core/json.ts';
import { HttpError } from '../../http-error.ts';
import { badBody } from '../body.ts';

/** A tool as the caller declared it. */
export interface Tool {
  readonly kind: 'function' | 'custom';
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface Tools {
  /** Functions in the form of Chat Completions. */
  readonly functions: readonly JsonObject[];
  /** The types of tools that only OpenAI's own service has. */
  readonly leftOut: readonly string[];
  readonly names: ToolNames;
}

/** The one parameter of the function that stands for a freeform tool. */
const INPUT = 'input';
const LONGEST_SHOWN = 60;

/** Maps tools to the functions that stand for them. */
export class ToolNames {
  readonly #byFunction = new Map<string, Tool>();
  readonly #byTool = new Map<string, string>();

  /** Gives a tool a function's name that no other tool has. */
  add({ kind, name, namespace }: Tool): void {
    const key = keyOf(name, namespace);
    if (this.#byTool.has(key)) return;
    const wanted = flatName(name, namespace);
    let free = wanted;
    for (let number = 2; this.#byFunction.has(free); number += 1) free = `${wanted}_${number}`;
    this.#byFunction.set(free, { kind, name, namespace });
    this.#byTool.set(key, free);
  }

  /** The function that stands for a tool. A tool of an earlier turn may be gone. */
  functionFor(name: string, namespace: string | undefined): string {
    return this.#byTool.get(keyOf(name, namespace)) ?? flatName(name, namespace);
  }

  /** The tool that a model calls by the name of a function. */
  toolFor(name: string): Tool {
    return this.#byFunction.get(name) ?? { kind: 'function', name };
  }
}

function keyOf(name: string, namespace: string | undefined): string {
  return JSON.stringify([namespace, name]);
}

function flatName(name: string, namespace: string | undefined): string {
  if (namespace === undefined) return name;
  return namespace.endsWith('__') ? `${namespace}${name}` : `${namespace}__${name}`;
}

/** The arguments of the function that stands for a freeform tool. */
export function argumentsForInput(input: string): string {
  return JSON.stringify({ [INPUT]: input });
}

/** The text that a model wrote for a freeform tool. A model may leave out the object around it. */
export function inputOfArguments(text: string): string {
  const value = parseJson(text);
  const input = typeof value === 'string' ? value : member(value, INPUT);
  return typeof input === 'string' ? input : text;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, LONGEST_SHOWN)}"` : 'without a type';
}

function nameIn(tool: JsonObject, place: string): string {
  const { name } = tool;
  if (typeof name !== 'string' || name === '') throw badBody(`${place}.name: must be the name of the tool.`);
  return name;
}

function functionOf(tool: JsonObject, name: string): JsonObject {
  const { description, parameters, strict } = tool;
  return {
    type: 'function',
    function: {
      name,
      ...(typeof description === 'string' ? { description } : {}),
      ...(isJsonObject(parameters) ? { parameters } : {}),
      ...(typeof strict === 'boolean' ? { strict } : {}),
    },
  };
}

/** A freeform tool takes any text, or one that a grammar describes. */
function freeformFunction(tool: JsonObject, name: string): JsonObject {
  const { description, format } = tool;
  const definition = member(format, 'definition');
  const syntax = member(format, 'syntax');
  const lines = [
    ...(typeof description === 'string' ? [description] : []),
    ...(typeof definition === 'string'
      ? [`The input is a text that fits this ${String(syntax)} grammar:\n${definition}`]
      : []),
  ];
  const properties = {
    [INPUT]: { type: 'string', description: 'The whole input of the tool, as plain text.' },
  };
  return {
    type: 'function',
    function: {
      name,
      ...(lines.length === 0 ? {} : { description: lines.join('\n\n') }),
      parameters: { type: 'object', properties, required: [INPUT], additionalProperties: false },
    },
  };
}

interface Placed {
  readonly tool: JsonObject;
  readonly place: string;
  readonly namespace?: string;
}

function placedIn(list: unknown, place: string, namespace?: string): readonly Placed[] {
  if (list !== undefined && !Array.isArray(list)) throw badBody(`${place}: must be a list of tools.`);
  return elementsOf(list).flatMap((tool, index) => {
    const at = `${place}[${index}]`;
    if (!isJsonObject(tool)) throw badBody(`${at}: must be an object.`);
    if (tool['type'] === 'namespace') return placedIn(tool['tools'], `${at}.tools`, nameIn(tool, at));
    return [namespace === undefined ? { tool, place: at } : { tool, place: at, namespace }];
  });
}

/**
 * Reads lists of tools, each with its place in the body. Tools without a namespace keep their names.
 * @throws HttpError naming the tool.
 */
export function readTools(lists: readonly (readonly [list: unknown, place: string])[]): Tools {
  const placed = lists.flatMap(([list, place]) => placedIn(list, place));
  const known = placed.flatMap(({ tool, place, namespace }) => {
    const { type } = tool;
    if (typeof type !== 'string') throw badBody(`${place}.type: must be the type of the tool.`);
    if (type !== 'function' && type !== 'custom') return [];
    return [{ tool, kind: type, name: nameIn(tool, place), namespace } as const];
  });
  const names = new ToolNames();
  for (const one of known) if (one.namespace === undefined) names.add(one);
  for (const one of known) if (one.namespace !== undefined) names.add(one);
  const types = new Set(placed.map(({ tool }) => String(tool['type'])));
  return {
    functions: known.map(({ tool, kind, name, namespace }) => {
      const called = names.functionFor(name, namespace);
      return kind === 'custom' ? freeformFunction(tool, called) : functionOf(tool, called);
    }),
    leftOut: [...types].filter((type) => type !== 'function' && type !== 'custom'),
    names,
  };
}

function unsupported(type: unknown, param: string): HttpError {
  const message = `${param}: no free model has the tool ${shown(type)}. Leave the choice open ("auto"), or offer a function.`;
  return new HttpError({ status: 400, code: 'unsupported_tool', param, message });
}

function functionName(tool: JsonObject): unknown {
  return member(tool['function'], 'name');
}

/** The choice of one tool, by the name of its function. */
function chosen(choice: JsonObject, { names, functions }: Tools, place: string): JsonObject {
  const { type, name, namespace } = choice;
  if ((type !== 'function' && type !== 'custom') || typeof name !== 'string') throw unsupported(type, place);
  const called = names.functionFor(name, typeof namespace === 'string' ? namespace : undefined);
  if (!functions.some((tool) => functionName(tool) === called))
    throw badBody(`${place}: there is no tool ${shown(name)} in the request.`);
  return { type: 'function', function: { name: called } };
}

/**
 * The fields of Chat Completions for the tools and the tool choice.
 * @throws HttpError if the choice is a tool that was left out.
 */
export function toolFields(tools: Tools, choice: unknown): JsonObject {
  const { functions, leftOut } = tools;
  if (isJsonObject(choice) && choice['type'] === 'allowed_tools') {
    const allowed = new Set(
      elementsOf(choice['tools']).flatMap((one) =>
        isJsonObject(one) && !leftOut.includes(String(one['type']))
          ? [functionName(chosen(one, tools, 'tool_choice.tools'))]
          : [],
      ),
    );
    const left = functions.filter((tool) => allowed.has(functionName(tool)));
    return toolFields({ ...tools, functions: left }, choice['mode'] ?? 'auto');
  }
  if (isJsonObject(choice)) return { tools: functions, tool_choice: chosen(choice, tools, 'tool_choice') };
  if (choice === 'required' && functions.length === 0 && leftOut.length > 0)
    throw unsupported(leftOut[0], 'tool_choice');
  if (choice !== undefined && choice !== 'auto' && choice !== 'none' && choice !== 'required')
    throw badBody('tool_choice: must be "auto", "none", "required", or an object that names a tool.');
  return {
    ...(functions.length === 0 ? {} : { tools: functions }),
    ...(choice === undefined || functions.length === 0 ? {} : { tool_choice: choice }),
  };
}
