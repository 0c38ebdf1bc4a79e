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

/** In pieces of one character. Looking at all that came with each piece takes the square of the text's length. */
const PIECES: Readonly<Record<string, string>> = {
  'brackets that may begin a call': '['.repeat(220_000),
  'blanks before it begins': ' '.repeat(220_000),
  thoughts: `<think>${'<'.repeat(220_000)}`,
  'a line with quotes and tags': 'a `<'.repeat(20_000),
  'one line': 'word '.repeat(16_000),
};

function passed(pieces: Iterable<string>, gate = new CallGate(tools)): string {
  let released = '';
  for (const piece of pieces) released += gate.add(piece);
  return released;
}

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

  it.each(Object.entries(PIECES))('in small pieces is passed in linear time: %s', (_, text) => {
    const gate = new CallGate(tools);
    const released = passed(text, gate);
    expect(gate.end().kind).toBe('prose');
    expect(released + gate.open() === text).toBe(true);
  });

  it.each([
    ['is held after the end of a long block of code', '\n```\n', 0],
    ['is released within a long block of code', '', 1],
  ])('%s: a tag', (_, end, count) => {
    const text = `Look:\n\`\`\`\n${'let a = 1;\n'.repeat(2000)}${end}<tool_call>{"a" `;
    expect(passed(text).split('<tool_call>').length - 1).toBe(count);
  });
});
