/** `freelm chat`: one question, one answer on stdout. */

import type { ChatMessage, ChatOptions, ChatResponse, FreeLLM } from '../index.ts';
import { UsageError } from './exit.ts';
import { type PoolFlags, withPool } from './pool.ts';
import type { Output, Shell } from './shell.ts';
import { readStdin } from './stdin.ts';
import { harmless, json } from './text.ts';

/** What `freelm chat` can be told. */
export interface ChatFlags extends PoolFlags {
  readonly system?: string;
  readonly stream?: boolean;
  readonly json?: boolean;
  readonly maxTokens?: number;
  readonly temperature?: number;
}

const HOW = 'Say what to ask, as in freelm chat "Why is the sky blue?", or pipe it in.';

/** The words of the command line, then what is piped in; a last `-` reads a terminal, too. */
async function promptOf(words: readonly string[], shell: Shell): Promise<string> {
  const isPiped = shell.stdin.isTTY !== true;
  const asksForStdin = words.at(-1) === '-';
  const said = words.slice(0, asksForStdin ? -1 : undefined).join(' ');
  if (said === '' && !isPiped && !asksForStdin) throw new UsageError(HOW);
  const hint = isPiped ? 'To ask without it, add < /dev/null.' : 'Ctrl-D ends it.';
  const piped = isPiped || asksForStdin ? (await readStdin(shell, hint)).trimEnd() : '';
  const prompt = [said, piped].filter((text) => text.trim() !== '').join('\n\n');
  if (prompt === '') throw new UsageError(`There is nothing to ask: standard input was empty. ${HOW}`);
  return prompt;
}

/** Writes an answer so that the next line starts at its beginning, also where it breaks off. */
class AnswerWriter {
  readonly #out: Output;
  #isMidLine = false;

  constructor(out: Output) {
    this.#out = out;
  }

  async write(text: string): Promise<void> {
    const shown = this.#out.isTerminal ? harmless(text) : text;
    if (shown === '') return;
    this.#isMidLine = !shown.endsWith('\n');
    await this.#out.write(shown);
  }

  async end(): Promise<void> {
    if (this.#isMidLine) await this.#out.write('\n');
    this.#isMidLine = false;
  }
}

/** An answer without what the provider sent to make it. */
function withoutRaw({ raw, ...response }: ChatResponse): Omit<ChatResponse, 'raw'> {
  void raw;
  return response;
}

async function streamed(
  llm: FreeLLM,
  messages: readonly ChatMessage[],
  options: ChatOptions,
  { out, asJson }: { readonly out: Output; readonly asJson: boolean },
): Promise<ChatResponse> {
  const stream = llm.stream(messages, options);
  const writer = new AnswerWriter(out);
  try {
    for await (const part of stream.parts()) {
      if (asJson) await out.write(json(part));
      else if (part.type === 'text') await writer.write(part.text);
    }
  } finally {
    await writer.end();
  }
  const response = await stream.response();
  if (asJson) await out.write(json({ type: 'response', ...withoutRaw(response) }));
  return response;
}

async function whole(
  llm: FreeLLM,
  messages: readonly ChatMessage[],
  options: ChatOptions,
  { out, asJson }: { readonly out: Output; readonly asJson: boolean },
): Promise<ChatResponse> {
  const response = await llm.chat(messages, options);
  if (asJson) {
    await out.write(json(withoutRaw(response), 2));
    return response;
  }
  const writer = new AnswerWriter(out);
  await writer.write(response.text);
  await writer.end();
  return response;
}

/** What a person should know of an answer beside its text. */
async function remarkOn({ finishReason, text }: ChatResponse, { err }: Shell): Promise<void> {
  if (finishReason === 'length') {
    await err.write('freelm: the answer ended at its limit of tokens; raise --max-tokens for more.\n');
  } else if (text === '') {
    await err.write(`freelm: the answer has no text (finish reason ${finishReason ?? 'unknown'}).\n`);
  }
}

export async function chat(words: readonly string[], flags: ChatFlags, shell: Shell): Promise<void> {
  const prompt = await promptOf(words, shell);
  const { system, stream = false, maxTokens, temperature } = flags;
  const messages: readonly ChatMessage[] = [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    { role: 'user', content: prompt },
  ];
  const options = { max_tokens: maxTokens, temperature, signal: shell.signal };
  const form = { out: shell.out, asJson: flags.json ?? false };
  await withPool(shell, flags, async (llm) => {
    await remarkOn(await (stream ? streamed : whole)(llm, messages, options, form), shell);
  });
}
