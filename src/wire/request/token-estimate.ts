import type { TokenEstimate } from '../../core/routing/question.ts';
import { elementsOf, isJsonObject, jsonText, member } from '../../core/json.ts';
import type { ChatRequest } from './chat-request.ts';
import { maxTokensOf } from './request-shape.ts';
import { countText, type TextCount } from './text-tokens.ts';

/** The tokens that a chat template adds to each message and to the conversation. */
const AROUND_MESSAGE: TextCount = { likely: 4, least: 1 };
const AROUND_CONVERSATION: TextCount = { likely: 3, least: 0 };
/** An image costs a hundred to some thousand tokens, whatever its size in bytes. The size of other media may be unknown. */
const MEDIUM: TextCount = { likely: 1000, least: 0 };
/** A longer text is the medium itself, not its URL. */
const LONGEST_URL = 2000;
/** A second of speech has about 32 tokens and, compressed, 8,000 bytes. */
const BYTES_PER_AUDIO_TOKEN = 250;
/** A page of a document has about 1,000 tokens and at least 20,000 bytes. */
const BYTES_PER_FILE_TOKEN = 20;
/** Four characters of Base64 encode three bytes. */
const BYTES_PER_CHARACTER = 0.75;

/** By the member of a part that holds a medium: its bytes per token. */
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

  /** Adds a structure. Each provider serialises it for its models in its own way, so the count is only a guess. */
  json(value: unknown): void {
    if (value === undefined || value === null) return;
    const { likely, least } = countText(jsonText(value));
    this.add({ likely, least: least / 2 });
  }
}

/** The length of the longest text in a medium. */
function dataLength(value: unknown): number {
  const texts = isJsonObject(value) ? Object.values(value) : [value];
  let longest = 0;
  for (const text of texts) if (typeof text === 'string') longest = Math.max(longest, text.length);
  return longest;
}

function countMedia(part: unknown): TextCount {
  for (const [name, bytesPerToken] of MEDIA) {
    const length = dataLength(member(part, name));
    if (length <= LONGEST_URL) continue;
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

/**
 * Estimates the tokens of a request without a tokenizer. Media count at a flat rate or by their size, never as the text
 * that encodes them.
 */
// spec 12.10
export function estimateTokens({ messages, fields }: ChatRequest): TokenEstimate {
  const sum = new Sum();
  sum.add(AROUND_CONVERSATION);
  for (const message of messages) {
    sum.add(AROUND_MESSAGE);
    countContent(sum, message.content);
    sum.text(message.name);
    for (const call of elementsOf(message.tool_calls)) sum.json(member(call, 'function'));
  }
  sum.json(fields['tools']);
  sum.json(fields['response_format']);
  return {
    prompt: Math.ceil(sum.likely),
    least: Math.floor(sum.least),
    maxTokens: maxTokensOf(fields),
  };
}
