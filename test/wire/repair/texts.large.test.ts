import { describe, expect, it } from 'vitest';
import { jsonAnswer, partialJson } from '../../../src/wire/repair/json-answer.ts';
import { soundCalls } from '../../../src/wire/repair/sound-calls.ts';
import type { ToolCall } from '../../../src/wire/response/chat-response.ts';
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

function callWith(text: string): ToolCall {
  return { id: 'c', type: 'function', function: { name: 'f', arguments: text } };
}

function countSound(count: number, text: string): number {
  const calls = Array.from({ length: count }, () => callWith(text));
  return soundCalls(calls, { declared: tools, check: () => undefined }).length;
}

describe('repairs', () => {
  const rightText = `{"a":"${'x'.repeat(300_000)}"}`;
  const wrongText = `{a:"${'x'.repeat(2000)}"}`;

  it('of many short arguments are made', () => {
    expect(countSound(100, wrongText)).toBe(100);
  });

  it('are not needed for long arguments that are right', () => {
    expect(countSound(10, rightText)).toBe(10);
  });

  it.each([
    ['of more than 256 Ki characters', 150, wrongText],
    ['of one long text', 1, rightText.replace('"a"', 'a')],
  ])('are refused: those %s', (_, count, text) => {
    expect(() => countSound(count, text)).toThrow(
      /^(too much of the arguments needs repairs|the arguments are no JSON object)$/,
    );
  });

  it.each([
    ['that is JSON is read', rightText, true],
    ['by hand is not', rightText.replace('"a"', 'a'), false],
    ['within prose is not', `Here: ${rightText}`, false],
    ['that is nested too deeply is not', `{"a":${'['.repeat(150_000)}${']'.repeat(150_000)}}`, false],
  ])('a long value %s', (_, text, ok) => {
    expect(jsonAnswer(text, (value) => ({ ok: true, value })).ok).toBe(ok);
    expect(partialJson(text)).toBeUndefined();
  });
});
