import { describe, expect, it } from 'vitest';
import { member } from '../../src/core/json.ts';
import { NOW, type Script, scripted } from './support.ts';

const PATH = '/v1/completions';

interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
  readonly prompts: readonly unknown[];
}

async function complete(body: object, script: Script = {}): Promise<Answered> {
  const { post, calls } = scripted(script);
  const response = await post(body, PATH);
  const prompts = calls.map(({ messages, fields }) => [messages, fields]);
  return { status: response.status, body: await response.json(), headers: response.headers, prompts };
}

const choice = (index: number): object => ({
  text: 'Hello there',
  index,
  logprobs: null,
  finish_reason: 'stop',
});

describe('the completion of a text', () => {
  it('is what a model says to it', async () => {
    const { body, prompts, headers } = await complete({ prompt: 'Once', max_tokens: 5, suffix: null });
    expect(prompts).toEqual([[[{ role: 'user', content: 'Once' }], { max_tokens: 5 }]]);
    expect(headers.get('x-freelm-attempts')).toBe('2');
    expect(body).toEqual({
      id: 'cmpl-1',
      object: 'text_completion',
      created: NOW / 1000,
      model: 'z-ai/glm-5.3',
      choices: [choice(0)],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
  });

  it('of several prompts and answers takes a call each, and has their sum', async () => {
    const { body, prompts, headers } = await complete({ prompt: ['a', 'b'], n: 2 });
    const asked = ['a', 'a', 'b', 'b'].map((content) => [[{ role: 'user', content }], {}]);
    expect(prompts).toEqual(asked);
    expect(headers.get('x-freelm-attempts')).toBe('8');
    expect(body).toMatchObject({
      choices: [choice(0), choice(1), choice(2), choice(3)],
      usage: { prompt_tokens: 12, completion_tokens: 8, total_tokens: 20 },
    });
  });

  it('comes as events', async () => {
    const script: Script = {
      parts: [
        { type: 'reasoning', text: 'Hm.' },
        { type: 'text', text: 'Hel' },
        { type: 'text', text: 'lo' },
        { type: 'usage', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } },
        { type: 'finish', reason: 'length' },
      ],
    };
    const body = { prompt: 'x', stream: true, stream_options: { include_usage: true } };
    const text = await (await scripted(script).post(body, PATH)).text();
    const events = text.split('\n\n').map((line) => line.replace(/^data: /, ''));
    expect(events.slice(-2)).toEqual(['[DONE]', '']);
    const chunks = events.slice(0, -2).map((event): unknown => JSON.parse(event));
    expect(chunks).toMatchObject([
      { object: 'text_completion', choices: [{ text: 'Hel', finish_reason: null }] },
      { choices: [{ text: 'lo' }] },
      { choices: [{ text: '', finish_reason: 'length' }] },
      { choices: [], usage: { total_tokens: 5 } },
    ]);
  });

  it.each<[what: string, body: object, message: RegExp]>([
    ['no prompt', {}, /^prompt: must be a text/],
    ['tokens', { prompt: [1, 2] }, /^prompt: .*tokens/],
    ['a suffix', { prompt: 'x', suffix: 'y' }, /^suffix: /],
    ['an echo', { prompt: 'x', echo: true }, /^echo: /],
    ['the best of several', { prompt: 'x', best_of: 3 }, /^best_of: /],
    ['probabilities', { prompt: 'x', logprobs: 2 }, /^logprobs: /],
    ['too many answers', { prompt: 'x', n: 5 }, /^n: must be at most 4/],
    ['too many prompts', { prompt: ['a', 'b', 'c'], n: 2 }, /^prompt: at most 4 answers/],
  ])('is refused with %s', async (_what, body, message) => {
    const { status, body: answer } = await complete(body);
    expect(status).toBe(400);
    expect(member(member(answer, 'error'), 'message')).toMatch(message);
  });
});
