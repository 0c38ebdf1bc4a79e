/**
 * The table of conversations by OpenAI's SDK with Responses: the client sends all items of the conversation, or the server
 * keeps them and the client names the last answer.
 */

import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import {
  type Ask,
  COLOUR,
  type DialogueSettings,
  IMAGE_URL,
  TASK,
  WEATHER,
  WEATHER_SCHEMA,
} from '../support/conversations.ts';
import { PNG_URL } from '../support/images.ts';
import { describeClientConversations } from './conversations.ts';

type Api = OpenAI['responses'];
type Item = OpenAI.Responses.ResponseInputItem;
type Whole = OpenAI.Responses.Response;
type Body = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'stream'>;

const TOOL: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: WEATHER.name,
  description: WEATHER.description,
  parameters: WEATHER_SCHEMA,
  strict: false,
};

function question(text: string, images: boolean): Item {
  if (!images) return { role: 'user', content: text };
  const parts = [PNG_URL, IMAGE_URL].map(
    (url) => ({ type: 'input_image', image_url: url, detail: 'auto' }) as const,
  );
  return { role: 'user', content: [{ type: 'input_text', text }, ...parts] };
}

function answerTo(api: Api, body: Body, stream: boolean): Promise<Whole> {
  return stream ? api.stream(body).finalResponse() : api.create(body);
}

function resultOf({ call_id: id, arguments: given }: OpenAI.Responses.ResponseFunctionToolCall): Item {
  const output = WEATHER.execute(WEATHER.parameters.parse(JSON.parse(given)));
  return { type: 'function_call_output', call_id: id, output: JSON.stringify(output) };
}

/** The items of an answer that a client sends back. */
function kept({ output }: Whole): readonly Item[] {
  return output.filter(
    (item) => item.type === 'message' || item.type === 'reasoning' || item.type === 'function_call',
  );
}

/** Remembers a conversation, and makes the fields that the next request has for it. */
interface Memory {
  next(added: readonly Item[]): Pick<Body, 'input' | 'previous_response_id' | 'store'>;
  note(answer: Whole): void;
}

function ownMemory(): Memory {
  const items: Item[] = [];
  return {
    next(added) {
      items.push(...added);
      return { input: [...items], store: false };
    },
    note: (answer) => void items.push(...kept(answer)),
  };
}

function serverMemory(): Memory {
  let last: string | null = null;
  return {
    next: (added) => ({ input: [...added], previous_response_id: last }),
    note: ({ id }) => {
      last = id;
    },
  };
}

function dialogue(api: Api, { stream, tools: hasTools }: DialogueSettings, memory: Memory): Ask {
  const tools = hasTools ? { tools: [TOOL] } : {};
  return async (text, images) => {
    const calls: OpenAI.Responses.ResponseFunctionToolCall[] = [];
    let added: readonly Item[] = [question(text, images)];
    for (;;) {
      const answer = await answerTo(api, { model: 'auto', ...memory.next(added), ...tools }, stream);
      memory.note(answer);
      const called = answer.output.filter((item) => item.type === 'function_call');
      if (called.length === 0) {
        const seen = calls.map(({ call_id: id, name, arguments: given }) => ({
          id,
          name,
          input: JSON.parse(given) as unknown,
        }));
        return { text: answer.output_text, calls: seen };
      }
      calls.push(...called);
      added = called.map(resultOf);
    }
  };
}

const MEMORIES = [
  ['with all items', ownMemory],
  ['with previous_response_id', serverMemory],
] as const;

for (const [what, makeMemory] of MEMORIES) {
  describeClientConversations(`openai.responses ${what}`, ({ fetch, baseUrl }) => {
    const api = new OpenAI({ apiKey: 'none', baseURL: baseUrl, fetch, maxRetries: 0 }).responses;
    return {
      dialogue: (settings) => dialogue(api, settings, makeMemory()),
      object: async (stream) => {
        const body = { model: 'auto', input: TASK, text: { format: zodTextFormat(COLOUR, 'colour') } };
        return (await (stream ? api.stream(body).finalResponse() : api.parse(body))).output_parsed;
      },
    };
  });
}
