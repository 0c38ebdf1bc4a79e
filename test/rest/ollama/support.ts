import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import { scripted, type Script, type Scripted } from '../support.ts';

export const CHAT = '/api/chat';
export const GENERATE = '/api/generate';

interface Posted extends Scripted {
  readonly response: Response;
}

export function user(content: unknown, more: JsonObject = {}): JsonObject {
  return { role: 'user', content, ...more };
}

/** Posts a request of Ollama's API to a scripted backend. */
export async function posted(path: string, body: JsonObject | string, script: Script = {}): Promise<Posted> {
  const backend = scripted(script);
  const base = { model: 'auto', ...(path === CHAT ? { messages: [user('Hi')] } : { prompt: 'Hi' }) };
  const response = await backend.post(typeof body === 'string' ? body : { ...base, ...body }, path);
  return { ...backend, response };
}

function objectIn(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}

/** The objects of a streamed answer. Each ends its line. */
export async function linesOf(response: Response): Promise<readonly JsonObject[]> {
  const [last, ...lines] = (await response.text()).split('\n').toReversed();
  if (last !== '') throw new Error('The last line has no end.');
  return lines.toReversed().map(objectIn);
}
