import { describe, expect, it } from 'vitest';
import { CallGate } from '../../../src/wire/repair/call-gate.ts';
import { writtenCalls } from '../../../src/wire/repair/written-calls.ts';

const tools = new Map([['f', { type: 'object', properties: { a: { type: 'string' } } }]]);
const BLANKS = 120_000;

/** Texts on which a search that looks back or ahead through white space takes minutes. */
const TEXTS: Readonly<Record<string, string>> = {
  'line ends before a marker': `x${'\n'.repeat(BLANKS)}<tool_call>{"name":"f"`,
  'spaces before a tag': `x\n${' '.repeat(BLANKS)}<tool_call>{"name":"f"`,
  'spaces in arguments': `<tool_call>{"name":"f","arguments":{"a":"b"${' '.repeat(BLANKS)}z`,
};

describe('a large text', () => {
  it.each(Object.entries(TEXTS))('is searched in linear time: %s', (_, text) => {
    expect(['calls', 'broken', 'prose']).toContain(writtenCalls(text, tools).kind);
  });

  it('that is held from a marker on is searched once', () => {
    const gate = new CallGate(tools);
    const call = `Hi.\n<tool_call>{"name":"f","arguments":{"a":"${'x'.repeat(200_000)}"}}</tool_call>`;
    let released = '';
    for (let start = 0; start < call.length; start += 2) released += gate.add(call.slice(start, start + 2));
    expect(released).toBe('Hi.\n');
    expect(gate.end()).toMatchObject({ kind: 'calls', calls: [{ name: 'f' }] });
  });
});
