/** `freelm chat`: answers one question on stdout. */

import type { ChatMessage, ChatOptions, ChatResponse, FreeLLM } from '../index.ts';
import { UsageError } from './exit.ts';
import { type PoolFlags, withPool } from './pool.ts';
import type { Output, Shell } from './shell.ts';
import { hasInput, readStdin } from './stdin.ts';
import { withoutControls, json } from './text.ts';

export interface ChatFlags extends PoolFlags {
  readonly system?: string;
  readonly stream?: boolean;
  readonly json?: boolean;
  readonly maxTokens?: number;
  readonly temperature?: number;
}

const USAGE_HINT = 'Write a question, e.g. freelm chat "Why is the sky blue?", or pipe one in.';

/** The prompt: the words of the command line, then the piped text. A final `-` reads from a terminal, too. */
async function promptOf(words: readonly string[], shell: Shell): Promise<string> {
  const isPiped = shell.stdin.isTTY !== true;
  const asksForStdin = words.at(-1) === '-';
  const typed = words.slice(0, asksForStdin ? -1 : undefined).join(' ');
  if (typed === '' && !isPiped && !asksForStdin) throw new UsageError(USAGE_HINT);
  const hint = isPiped ? 'To ask without it, add < /dev/null.' : 'Press Ctrl-D to end it.';
  const isRead =
    asksForStdin || (isPiped && (typed === '' || !shell.mayStdinStayOpen || (await hasInput(shell))));
  const piped = isRead ? (await readStdin(shell, hint)).trimEnd() : '';
  const prompt = [typed, piped].filter((text) => text.trim() !== '').join('\n\n');
  if (prompt === '') throw new UsageError(`There is no question: standard input was empty. ${USAGE_HINT}`);
  return prompt;
}

/** Writes an answer and ends its last line, even if the answer breaks off. */
class AnswerWriter {
  readonly #out: Output;
  #isMidLine = false;

  constructor(out: Output) {
    this.#out = out;
  }

  async write(text: string): Promise<void> {
    const shown = this.#out.isTerminal ? withoutControls(text) : text;
    if (shown === '') return;
    this.#isMidLine = !shown.endsWith('\n');
    await this.#out.write(shown);
  }

  async end(): Promise<void> {
    if (this.#isMidLine) await this.#out.write('\n');
    this.#isMidLine = false;
  }
}

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

/** Notes on stderr if the answer was cut short or has no text. */
async function noteOn({ finishReason, text }: ChatResponse, { err }: Shell): Promise<void> {
  if (finishReason === 'length') {
    await err.write(
      'freelm: the answer was cut off at its token limit. Raise --max-tokens for a longer one.\n',
    );
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
    await noteOn(await (stream ? streamed : whole)(llm, messages, options, form), shell);
  });
}
