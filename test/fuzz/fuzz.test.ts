/** A few cases of the fuzzer. `npm run fuzz` draws thousands. */

import { describe, expect, it } from 'vitest';
import { CANARIES } from '../client/canaries.ts';
import { caseOf, faultsOf } from './cases.ts';
import type { Outcome } from './exchange.ts';
import { bytesOf, jsonOf, mutated, type Mutation, Written } from './piece.ts';
import { startProvider } from './provider.ts';
import { inProcess } from './subject.ts';
import { outcomeFaults } from './verdict.ts';
import { Watch } from '../support/watch.ts';

const SEED = 1;
const CASES = 24;

const request = {
  method: 'POST',
  path: '/v1/chat/completions',
  headers: [['content-type', 'application/json']],
  body: '',
  framing: 'length',
} as const;
const answer = (status: number, body: string, type = 'application/json'): Outcome => ({
  status,
  headers: new Map([['content-type', type]]),
  body,
  raw: body,
});
const error = (message: string): string => JSON.stringify({ error: { message, type: 'server_error' } });

const EVENTS = 'text/event-stream';
const LINES = 'application/x-ndjson';
const event = (type: string, more = ''): string => `event: ${type}\ndata: {"type":"${type}"${more}}\n\n`;

/** A small document after one change. */
const change = (at: number, how: Mutation['how']): string =>
  bytesOf(jsonOf(mutated({ a: [1, 'x'] }, [{ at, how, name: 'n', value: new Written('NaN') }]))).toString();

describe.concurrent('hostile input', () => {
  const watch = new Watch();
  const numbers = Array.from({ length: CASES }, (_, number) => number);
  it.each(numbers)('case %i shows no fault', async (number) => {
    const provider = await startProvider();
    const faults = await faultsOf(inProcess(watch), provider, caseOf(SEED, number));
    expect([...faults, ...watch.take().strays]).toEqual([]);
    await provider.close();
  });
});

describe('the fuzzer', () => {
  it('draws the same case for the same seed and number, and another one for another number', () => {
    expect(caseOf(7, 3)).toEqual(caseOf(7, 3));
    expect(caseOf(7, 3)).not.toEqual(caseOf(7, 4));
  });

  it('writes pieces as bytes', () => {
    const piece = [
      'a',
      { hex: 'ff' },
      { key: true as const },
      { repeat: 'x', times: 3 },
      { count: '#,', times: 3 },
    ];
    expect(bytesOf(piece, 'k').toString('latin1')).toBe('a\xffkxxx0,1,2,');
  });

  it('changes a document at a value, also under the names of prototypes', () => {
    expect(change(0, 'replace')).toBe('{"a":NaN}');
    expect(change(1, 'replace')).toBe('{"a":[NaN,"x"]}');
    expect(change(2, 'remove')).toBe('{"a":[1]}');
    expect(change(0, 'add')).toBe('{"a":[1,"x",NaN]}');
    expect(change(1, 'wrap')).toBe('{"a":[[1,1],"x"]}');
    const added = mutated({ a: {} }, [{ at: 0, how: 'add', name: '__proto__', value: 1 }]);
    expect(bytesOf(jsonOf(added)).toString()).toBe('{"a":{"__proto__":1}}');
  });

  it.each<[string, Outcome, RegExp | undefined]>([
    ['a completion', answer(200, '{"choices":[]}'), undefined],
    ['an error', answer(503, error('No provider is ready.')), undefined],
    ['events', answer(200, 'data: {"choices":[]}\n\ndata: [DONE]\n\n', 'text/event-stream'), undefined],
    ['events with an error', answer(200, `data: ${error('broken')}\n\n`, 'text/event-stream'), undefined],
    ['no answer', 'closed without an answer', /closed/],
    ['a status of 500', answer(500, error('no')), /500/],
    ['an internal message', answer(503, error('Unexpected: x is not a function')), /internal/],
    ['a long message', answer(400, error('x'.repeat(30_000))), /30000 characters/],
    ['an error of another form', answer(400, '{"message":"no"}'), /form/],
    ['JSON that is cut', answer(200, '{"choices":['), /JSON/],
    ['a completion without choices', answer(200, '{}'), /another form/],
    ['events that are cut', answer(200, 'data: {"choices":[]}\n\n', 'text/event-stream'), /without an end/],
    [
      'an event that is no chunk',
      answer(200, 'data: 1\n\ndata: [DONE]\n\n', 'text/event-stream'),
      /no chunk/,
    ],
    ['a text', answer(200, 'Hello', 'text/plain'), /text\/plain/],
    ['a key', answer(400, error(`Bearer ${CANARIES.openrouter}`)), /a key in an answer/],
  ])('judges %s', (_what, outcome, fault) => {
    const faults = outcomeFaults(request, outcome).join('\n');
    if (fault === undefined) expect(faults).toBe('');
    else expect(faults).toMatch(fault);
  });

  it.each<[path: string, outcome: Outcome, fault: RegExp | undefined]>([
    ['/v1/messages', answer(200, '{"type":"message","content":[]}'), undefined],
    ['/v1/messages', answer(400, `{"type":"error","error":{"type":"x","message":"no"}}`), undefined],
    ['/v1/messages', answer(400, error('no')), /Messages API/],
    ['/v1/messages', answer(200, event('message_stop'), EVENTS), undefined],
    ['/v1/messages', answer(200, event('message_delta'), EVENTS), /without an end/],
    ['/v1/messages', answer(200, 'event: ping\ndata: {"type":"x"}\n\n', EVENTS), /without its type/],
    ['/v1/messages/count_tokens', answer(200, '{"input_tokens":1}'), undefined],
    ['/v1/messages/count_tokens', answer(200, '{}'), /another form/],
    ['/v1/responses', answer(200, '{"object":"response","output":[]}'), undefined],
    ['/v1/responses', answer(200, '{"choices":[]}'), /another form/],
    ['/v1/responses', answer(200, event('response.failed', ',"sequence_number":0'), EVENTS), undefined],
    ['/v1/responses', answer(200, event('response.failed', ',"sequence_number":1'), EVENTS), /out of order/],
    ['/v1/completions', answer(200, '{}'), /another form/],
    ['/api/chat', answer(200, '{"message":{},"done":true}'), undefined],
    ['/api/chat', answer(200, '{"message":{},"done":false}'), /another form/],
    ['/api/chat', answer(404, '{"error":"no"}'), undefined],
    ['/api/chat', answer(404, error('no')), /Ollama/],
    ['/api/chat', answer(200, '{"done":false}\n{"done":true}\n', LINES), undefined],
    ['/api/chat', answer(200, '{"done":false}\n{"error":"cut"}\n', LINES), undefined],
    ['/api/chat', answer(200, '{"done":false}\n', LINES), /where it ends/],
    ['/api/chat', answer(200, '{"done":true}', LINES), /do not end/],
    ['/api/generate', answer(200, '{"response":"","done":true}'), undefined],
    ['/api/generate', answer(200, '{"done":true}'), /another form/],
  ])('judges what %s answers: %j', (path, outcome, fault) => {
    const faults = outcomeFaults({ ...request, path }, outcome).join('\n');
    if (fault === undefined) expect(faults).toBe('');
    else expect(faults).toMatch(fault);
  });
});
