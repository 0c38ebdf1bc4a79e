import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/core/json.ts';
import { CallGate } from '../../../src/wire/repair/call-gate.ts';
import { writtenCalls } from '../../../src/wire/repair/written-calls.ts';
import { MALFORMED_CALLS, PROSES, TOOLS } from './malformed-calls.ts';

describe('the corpus of malformed calls', () => {
  it('has at least 200 of them, and 200 proses', () => {
    expect(MALFORMED_CALLS.length).toBeGreaterThanOrEqual(200);
    expect(PROSES.length).toBeGreaterThanOrEqual(200);
  });

  it('is rescued whole', () => {
    const lost = MALFORMED_CALLS.filter(({ name, values, text }) => {
      const found = writtenCalls(text, TOOLS);
      const call = found.kind === 'calls' && found.calls.length === 1 ? found.calls[0] : undefined;
      return call?.name !== name || JSON.stringify(parseJson(call.arguments)) !== JSON.stringify(values);
    });
    expect(lost.map(({ what, name }) => `${what}: ${name}`)).toEqual([]);
  });

  it('is held back in a stream, but for the words before a call', () => {
    const leaked = MALFORMED_CALLS.filter(({ text }) => {
      const gate = new CallGate(TOOLS);
      const released = Array.from({ length: Math.ceil(text.length / 4) }, (_, index) =>
        gate.add(text.slice(index * 4, index * 4 + 4)),
      ).join('');
      const found = gate.end();
      return found.kind !== 'calls' || released.trim() !== found.text;
    });
    expect(leaked.map(({ what, name }) => `${what}: ${name}`)).toEqual([]);
  });
});

describe('prose that speaks of tools', () => {
  it('is never taken for a call, and is never a failure', () => {
    expect(PROSES.filter((text) => writtenCalls(text, TOOLS).kind !== 'prose')).toEqual([]);
  });

  it('is handed out unchanged by a stream', () => {
    const changed = PROSES.filter((text) => {
      const gate = new CallGate(TOOLS);
      const released = Array.from(text, (sign) => gate.add(sign)).join('');
      return gate.end().kind !== 'prose' || released + gate.open() !== text;
    });
    expect(changed).toEqual([]);
  });
});
