/**
 * Sessions of coding agents, made from seeds: long instructions, many tools, and thirty turns with calls, results, images and
 * documents. They say what is said and called, not how a protocol writes it.
 */

import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import { PNG } from '../images.ts';
import { seededRandom } from '../seeded-random.ts';

export type AgentName = 'codex' | 'claude-code' | 'opencode' | 'cline' | 'aider';

/** A tool. A freeform one takes a text. */
export interface AgentTool {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly description: string;
  /** Undefined: freeform. */
  readonly schema: JsonObject | undefined;
}

/** A call as the agent sees it. The input of a freeform tool is a text. */
export interface AgentCall {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly input: JsonObject | string;
}

export type Said =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly url: string }
  | { readonly type: 'document'; readonly title: string; readonly text: string };

export interface ToolOutput {
  readonly text: string;
  readonly isError: boolean;
  /** Base64 of a PNG. */
  readonly image: string | undefined;
}

/** One request and its answer. */
export interface Step {
  /** The outputs of the calls in the step before, in their order. */
  readonly outputs: readonly ToolOutput[];
  /** What the user says after them. */
  readonly said: readonly Said[];
  readonly reply: {
    readonly thoughts: string;
    readonly text: string;
    readonly calls: readonly AgentCall[];
  };
}

export interface Session {
  readonly agent: AgentName;
  readonly seed: number;
  /** From 20 to 80 KB in all. */
  readonly instructions: readonly string[];
  readonly tools: readonly AgentTool[];
  readonly steps: readonly Step[];
}

/** Stands once in each text, so that a text which is lost or doubled is found. */
export const MARK: RegExp = /«[\w-]+»/g;

const STEPS = 30;
const KB = 1024;

/** How agents differ. */
interface Manner {
  readonly tools: readonly [least: number, most: number];
  readonly freeform?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly thinks?: boolean;
  readonly images?: boolean;
  readonly documents?: boolean;
}

const MANNERS: Readonly<Record<AgentName, Manner>> = {
  codex: {
    tools: [4, 8],
    freeform: ['apply_patch'],
    namespaces: ['mcp__tracker__', 'browser'],
    thinks: true,
    images: true,
  },
  'claude-code': { tools: [12, 18], thinks: true, images: true, documents: true },
  opencode: { tools: [8, 14], thinks: true, images: true },
  cline: { tools: [0, 0], images: true },
  aider: { tools: [0, 0] },
};

const LINES = [
  'You are an agent that edits a repository. Keep changes small, and explain each of them in one sentence.\n',
  '## Rules\n\n- Never commit without a test.\n- Prefer `rg` to `grep`.\n- Quote paths: "a b/c.ts".\n\n',
  '```ts\nexport const answer = (question: string): string => `${question}\\n\\t"42"`;\n```\n',
  'const pattern = /^(?:\\d+|[a-z]{2,})\\s*$/gu; // no </script>, no ]]>\r\n',
  '| file | lines | state |\n| --- | ---: | :-: |\n| src/main.rs | 1,024 | ✓ |\n',
  '@@ -12,7 +12,9 @@ fn main() {\n-    let x = 1;\n+    let x = 2;\n+    println!("{x:?}");\n',
  'Ω 한국어 e\u0301 🧑‍🚀 ﷽ \u2028 \u00a0 data: [DONE] <|im_end|> </s> \\u00e9 {"a":[1,2,{"b":null}]}\n',
  'FAIL test/a.test.ts > adds\nAssertionError: expected 3 to be 4\n    at test/a.test.ts:9:17\n\n1 failed, 41 passed\n',
];

/** Draws everything of one session. */
class Dice {
  readonly #random: () => number;
  readonly #seed: number;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
  }

  int(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.int(0, items.length - 1)] ?? items[0];
  }

  /** A name that no other text of the session has. */
  #next(): string {
    this.#count += 1;
    return `${this.#seed}-${this.#count}`;
  }

  /** About so many characters, with a mark in the middle. */
  text(length: number): string {
    const half = this.#lines(length / 2);
    return `${half}${this.title()} ${this.#lines(length / 2)}`;
  }

  title(): string {
    return `«${this.#next()}»`;
  }

  thoughts(): string {
    return `I look at it. ${this.#lines(80)}`;
  }

  /** A PNG that no other step has. */
  png(): string {
    return Buffer.concat([PNG, Buffer.from(this.#next())]).toString('base64');
  }

  #lines(length: number): string {
    let text = '';
    while (text.length < length) text += LINES[this.int(0, LINES.length - 1)];
    return text;
  }
}

/** By its name: the schema of a parameter, and a value of it. */
const PARAMETERS: Readonly<Record<string, readonly [schema: JsonObject, draw: (dice: Dice) => unknown]>> = {
  path: [{ type: 'string', minLength: 1 }, (dice) => `src/a b/ü-${dice.int(1, 99)}.ts`],
  content: [{ type: 'string' }, (dice) => dice.text(dice.int(20, 300))],
  limit: [{ type: 'integer', exclusiveMinimum: 0, maximum: 2000 }, (dice) => dice.int(1, 2000)],
  recursive: [{ type: 'boolean', default: false }, (dice) => dice.chance(0.5)],
  mode: [{ enum: ['read', 'write'], type: 'string' }, (dice) => dice.pick(['read', 'write'])],
  items: [
    {
      type: 'array',
      items: {
        type: 'object',
        properties: { id: { type: 'string' }, done: { type: 'boolean' } },
        required: ['id', 'done'],
        additionalProperties: false,
      },
    },
    (dice) =>
      Array.from({ length: dice.int(0, 4) }, (_, index) => ({ id: `x${index}`, done: dice.chance(0.5) })),
  ],
  after: [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, (dice) => dice.pick([null, 'then'])],
};
const NAMES = Object.keys(PARAMETERS);

function schemaOf(names: readonly string[]): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, PARAMETERS[name]?.[0] ?? {}])),
    required: names,
    additionalProperties: false,
  };
}

function functionTool(dice: Dice, name: string, namespace?: string): AgentTool {
  const from = dice.int(0, NAMES.length - 2);
  const schema = schemaOf(NAMES.slice(from, from + dice.int(1, 3)));
  return { name, namespace, description: dice.text(dice.int(50, 500)), schema };
}

function toolsOf(dice: Dice, { tools: [least, most], freeform = [], namespaces = [] }: Manner): AgentTool[] {
  const count = dice.int(least, most);
  return [
    ...Array.from({ length: count }, (_, index) => functionTool(dice, `tool_${index}`)),
    ...freeform.map((name) => ({ name, description: dice.text(400), schema: undefined })),
    ...namespaces.flatMap((namespace) =>
      ['find', 'tool_0'].map((name) => functionTool(dice, name, namespace)),
    ),
  ];
}

function patch(dice: Dice): string {
  return `*** Begin Patch\n*** Update File: a.ts\n@@\n${dice.text(dice.int(100, 400))}\n*** End Patch\n`;
}

function inputFor(dice: Dice, { schema }: AgentTool): AgentCall['input'] {
  if (schema === undefined) return patch(dice);
  const { properties } = schema;
  const names = isJsonObject(properties) ? Object.keys(properties) : [];
  return Object.fromEntries(names.map((name) => [name, PARAMETERS[name]?.[1](dice)]));
}

function callsOf(dice: Dice, [first, ...others]: readonly AgentTool[]): readonly AgentCall[] {
  // One call is usual, several at once are not rare, and now and then the agent only speaks.
  const count = dice.pick([0, 1, 1, 1, 2, 3]);
  if (first === undefined) return [];
  return Array.from({ length: count }, () => {
    const tool = dice.pick([first, ...others]);
    return { name: tool.name, namespace: tool.namespace, input: inputFor(dice, tool) };
  });
}

function outputOf(dice: Dice, { images = false }: Manner): ToolOutput {
  const image = images && dice.chance(0.08) ? dice.png() : undefined;
  return {
    text: dice.text(dice.int(0, dice.pick([200, 200, 200, 3000]))),
    isError: dice.chance(0.15),
    image,
  };
}

function saidOf(dice: Dice, { images = false, documents = false }: Manner): readonly Said[] {
  return [
    ...(documents && dice.chance(0.3)
      ? [{ type: 'document', title: dice.title(), text: dice.text(1500) } as const]
      : []),
    ...(images && dice.chance(0.2)
      ? [{ type: 'image', url: `data:image/png;base64,${dice.png()}` } as const]
      : []),
    { type: 'text', text: dice.text(dice.int(20, 600)) },
    ...(dice.chance(0.3) ? [{ type: 'text', text: dice.text(200) } as const] : []),
  ];
}

function stepsOf(dice: Dice, manner: Manner, tools: readonly AgentTool[]): readonly Step[] {
  const steps: Step[] = [];
  let called: readonly AgentCall[] = [];
  for (let count = 0; count < STEPS; count += 1) {
    const outputs = called.map(() => outputOf(dice, manner));
    // Users also speak while tools run.
    const said = called.length === 0 || dice.chance(0.1) ? saidOf(dice, manner) : [];
    called = callsOf(dice, tools);
    const isSilent = called.length > 0 && dice.chance(0.4);
    const thoughts = manner.thinks === true && dice.chance(0.7) ? dice.thoughts() : '';
    const reply = { thoughts, text: isSilent ? '' : dice.text(dice.int(20, 120)), calls: called };
    steps.push({ outputs, said, reply });
  }
  return steps;
}

/** The session of a seed. */
export function sessionOf(agent: AgentName, seed: number): Session {
  const dice = new Dice(seed);
  const manner = MANNERS[agent];
  // Short ones are usual.
  const length = dice.pick([20, 22, 25, 30, 40, 80]) * KB;
  const tools = toolsOf(dice, manner);
  const instructions = [dice.text(length * 0.8), dice.text(length * 0.2)];
  return { agent, seed, instructions, tools, steps: stepsOf(dice, manner, tools) };
}
