/** Requests for responses over a scripted backend. */

import type OpenAI from 'openai';
import type { ChatCall } from '../../../src/rest/chat-backend.ts';
import { type Script, scripted } from '../support.ts';

export type Item = OpenAI.Responses.ResponseInputItem;
export type Body = { readonly input?: string | readonly Item[] | undefined } & Readonly<
  Record<string, unknown>
>;

const PATH = '/v1/responses';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  readonly call: ChatCall | undefined;
}

/** What a request is answered with, and what call it became. */
export async function respond(body: unknown, script: Script = {}): Promise<Answered> {
  const { post, calls } = scripted(script);
  const response = await post(body, PATH);
  return {
    status: response.status,
    headers: response.headers,
    body: await response.json(),
    call: calls[0],
  };
}

/** The call that a request becomes. */
export async function callOf(body: Body): Promise<Pick<ChatCall, 'messages' | 'fields' | 'model'>> {
  const { call, body: answer } = await respond(body);
  if (call === undefined) throw new Error(JSON.stringify(answer));
  const { messages, fields, model } = call;
  return { messages, fields, model };
}

export interface Event {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The events of a stream. */
function eventsOf(text: string): readonly Event[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [first = '', second = ''] = block.split('\n');
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the events are objects
      const data = JSON.parse(second.replace(/^data: /, '')) as Event['data'];
      return { type: first.replace(/^event: /, ''), data };
    });
}

export async function streamOf(body: Body, script: Script): Promise<readonly Event[]> {
  const response = await scripted(script).post({ ...body, stream: true }, PATH);
  return eventsOf(await response.text());
}
