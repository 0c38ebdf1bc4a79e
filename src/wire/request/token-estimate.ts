/** How many tokens a request has, without a tokenizer: a best guess, and a number that none undercuts. */

import type { TokenEstimate } from '../../core/routing/question.ts';
import { elementsOf, isJsonObject, jsonText, member } from '../../core/json.ts';
import type { ChatRequest } from './chat-request.ts';
import { maxTokensOf } from './request-shape.ts';
import { countText, type TextCount } from './text-tokens.ts';

/** What a chat template puts around a message, and around the conversation. */
const AROUND_MESSAGE: TextCount = { likely: 4, least: 1 };
const AROUND_CONVERSATION: TextCount = { likely: 3, least: 0 };
/** An image costs from a hundred tokens to some thousands, whatever its size in bytes; of the rest the size may not be known. */
const MEDIUM: TextCount = { likely: 1000, least: 0 };
/** What is longer is no address of a medium but the medium itself. */
const LONGEST_ADDRESS = 2000;
/** Speech has some 32 tokens a second, and compressed as far as usual 8,000 bytes. */
const BYTES_PER_AUDIO_TOKEN = 250;
/** A page of a document has some 1,000 tokens, and from 20,000 bytes on. */
const BYTES_PER_FILE_TOKEN = 20;
/** Four characters of Base64 are three bytes. */
const BYTES_PER_CHARACTER = 0.75;

/** Members of a part under which media are given, and how many bytes of them cost a token. */
const MEDIA: ReadonlyMap<string, number> = new Map([
  ['input_audio', BYTES_PER_AUDIO_TOKEN],
  ['audio_url', BYTES_PER_AUDIO_TOKEN],
  ['file', BYTES_PER_FILE_TOKEN],
  ['document', BYTES_PER_FILE_TOKEN],
  ['video_url', BYTES_PER_AUDIO_TOKEN],
]);

class Sum {
  likely = 0;
  least = 0;

  add({ likely, least }: TextCount): void {
    this.likely += likely;
    this.least += least;
  }

  text(value: unknown): void {
    if (typeof value === 'string') this.add(countText(value));
  }

  /** A structure that each provider tells its models in a way of its own: the way in which it was sent is but a guess. */
  told(value: unknown): void {
    if (value === undefined || value === null) return;
    const { likely, least } = countText(jsonText(value));
    this.add({ likely, least: least / 2 });
  }
}

/** The longest text in a part of a message: its data, where it carries them itself. */
function dataLength(value: unknown): number {
  const texts = isJsonObject(value) ? Object.values(value) : [value];
  return Math.max(0, ...texts.map((text) => (typeof text === 'string' ? text.length : 0)));
}

function countMedia(part: unknown): TextCount {
  for (const [name, bytesPerToken] of MEDIA) {
    const length = dataLength(member(part, name));
    if (length <= LONGEST_ADDRESS) continue;
    return { likely: Math.ceil((length * BYTES_PER_CHARACTER) / bytesPerToken), least: 0 };
  }
  return MEDIUM;
}

function countContent(sum: Sum, content: unknown): void {
  sum.text(content);
  for (const part of elementsOf(content)) {
    const text = member(part, 'text') ?? member(part, 'refusal');
    if (typeof text === 'string') sum.text(text);
    else sum.add(countMedia(part));
  }
}

/** Estimates the tokens of a request. Media are counted at a flat rate or by their size, never as the text that carries them. */
export function estimateTokens({ messages, fields }: ChatRequest): TokenEstimate {
  const sum = new Sum();
  sum.add(AROUND_CONVERSATION);
  for (const message of messages) {
    sum.add(AROUND_MESSAGE);
    countContent(sum, message.content);
    sum.text(message.name);
    for (const call of elementsOf(message.tool_calls)) sum.told(member(call, 'function'));
  }
  sum.told(fields['tools']);
  sum.told(fields['response_format']);
  return {
    prompt: Math.ceil(sum.likely),
    least: Math.floor(sum.least),
    maxTokens: maxTokensOf(fields),
  };
}
