import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { resolved, ResponseStore } from '../../../src/rest/responses/store.ts';

const HOUR_MS = 60 * 60 * 1000;
const MOST = 32_000_000;

function stored(id: string): { response: JsonObject; input: JsonObject[]; output: JsonObject[] } {
  return { response: { id }, input: [], output: [{ id: `msg_${id}` }] };
}

describe('answers are kept', () => {
  it('for an hour, with their items', () => {
    let now = 0;
    const store = new ResponseStore(() => now);
    store.put('a', stored('a'), 10);
    now = HOUR_MS - 1;
    expect(store.get('a')).toMatchObject(stored('a'));
    expect(store.item('msg_a')).toEqual({ id: 'msg_a' });
    now = HOUR_MS;
    expect(store.get('a')).toBeUndefined();
    expect(store.item('msg_a')).toBeUndefined();
  });

  it('until newer ones need their room', () => {
    const store = new ResponseStore(() => 0);
    for (const id of ['a', 'b', 'c']) store.put(id, stored(id), MOST / 2);
    expect(['a', 'b', 'c'].map((id) => store.get(id) !== undefined)).toEqual([false, true, true]);
    expect(store.item('msg_a')).toBeUndefined();
  });

  it('unless one alone is too long', () => {
    const store = new ResponseStore(() => 0);
    store.put('a', stored('a'), 10);
    store.put('b', stored('b'), MOST + 1);
    expect([store.get('a') !== undefined, store.get('b')]).toEqual([true, undefined]);
  });

  it('until they are deleted, which frees their room', () => {
    const store = new ResponseStore(() => 0);
    store.put('a', stored('a'), MOST);
    expect([store.delete('a'), store.delete('a')]).toEqual([true, false]);
    store.put('b', stored('b'), MOST);
    expect(store.get('b')).toMatchObject(stored('b'));
    expect(store.item('msg_a')).toBeUndefined();
  });
});

it('a reference is the item that it names', () => {
  const store = new ResponseStore(() => 0);
  store.put('a', stored('a'), 10);
  const message = { role: 'user', content: 'x' };
  expect(resolved(message, store)).toBe(message);
  expect(resolved({ type: 'item_reference', id: 'msg_a' }, store)).toEqual({ id: 'msg_a' });
  expect(resolved({ id: 'msg_a' }, store)).toEqual({ id: 'msg_a' });
  expect(resolved({ type: 'item_reference', id: 'msg_b' }, store)).toBeUndefined();
});
