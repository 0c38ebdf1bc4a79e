import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import { scripted, type Script, type Scripted } from '../support.ts';

const OLD = { 'anthropic-version': '2023-06-01' };
export const NEW = { 'anthropic-version': '2026-10-21' };

export interface Posted extends Scripted {
  readonly response: Response;
}

/** Posts a request of the Messages API to a scripted backend. */
export async function posted(
  body: JsonObject | string,
  script: Script = {},
  {
    path = '/v1/messages',
    headers = OLD,
  }: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Posted> {
  const backend = scripted(script);
  const base = { model: 'auto', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] };
  const text = typeof body === 'string' ? body : JSON.stringify({ ...base, ...body });
  const response = await backend.fetch(path, { method: 'POST', body: text, headers });
  return { ...backend, response };
}

export async function jsonIn(response: Response): Promise<JsonObject> {
  const json: unknown = await response.json();
  if (isJsonObject(json)) return json;
  throw new Error('no object');
}
