/** What TypeScript must know of the package. Compiled by an older version. */

import { type ChatResponse, FreeLLM, OpenRouter } from 'freelm';
import OpenAI from 'freelm/compat';
import { redisStore } from 'freelm/redis';
import { startWorld } from 'freelm/testing';

const llm = new FreeLLM({ providers: [new OpenRouter('key')] });
const answer: Promise<ChatResponse> = llm.chat('hi');
const { completions } = new OpenAI({ freelm: llm }).chat;
const text: Promise<string | null | undefined> = completions
  .create({ model: 'auto', messages: [{ role: 'user', content: 'hi' }] })
  .then(({ choices }) => choices[0]?.message.content);
export const all = [answer, text, startWorld, redisStore];
