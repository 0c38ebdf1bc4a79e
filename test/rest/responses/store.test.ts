import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { TextArchive } from '../../../src/ports.ts';
import { resolved, ResponseStore } from '../../../src/rest/responses/store.ts';

const HOUR_MS = 60 * 60 * 1000;
const MOST = 32_000_000;

function stored(id: string): { response: JsonObject; input: JsonObject[]; output: JsonObject[] } {
  return { response: { id }, input: [], output: [{ id: `msg_${id}` }] };
}

function storeAt(now: () => number, archive?: TextArchive): ResponseStore {
  return new ResponseStore({ now, archive, redact: (text) => text.replaceAll('sk-secret', '…') });
}

describe('answers are kept', () => {
  it('for an hour, with their items', () => {
    let now = 0;
    const store = storeAt(() => now);
    store.put('a', stored('a'), 10);
    now = HOUR_MS - 1;
    expect(store.get('a')).toMatchObject(stored('a'));
    expect(store.item('msg_a')).toEqual({ id: 'msg_a' });
    now = HOUR_MS;
    expect(store.get('a')).toBeUndefined();
    expect(store.item('msg_a')).toBeUndefined();
  });

  it('until newer ones need their room', () => {
    const store = storeAt(() => 0);
    for (const id of ['a', 'b', 'c']) store.put(id, stored(id), MOST / 2);
    expect(['a', 'b', 'c'].map((id) => store.get(id) !== undefined)).toEqual([false, true, true]);
    expect(store.item('msg_a')).toBeUndefined();
  });

  it('unless one alone is too long', () => {
    const store = storeAt(() => 0);
    store.put('a', stored('a'), 10);
    store.put('b', stored('b'), MOST + 1);
    expect([store.get('a') !== undefined, store.get('b')]).toEqual([true, undefined]);
  });

  it('until they are deleted, which frees their room', () => {
    const store = storeAt(() => 0);
    store.put('a', stored('a'), MOST);
    expect([store.delete('a'), store.delete('a')]).toEqual([true, false]);
    store.put('b', stored('b'), MOST);
    expect(store.get('b')).toMatchObject(stored('b'));
    expect(store.item('msg_a')).toBeUndefined();
  });
});

it('a reference is the item that it names', () => {
  const store = storeAt(() => 0);
  store.put('a', stored('a'), 10);
  const message = { role: 'user', content: 'x' };
  expect(resolved(message, store)).toBe(message);
  expect(resolved({ type: 'item_reference', id: 'msg_a' }, store)).toEqual({ id: 'msg_a' });
  expect(resolved({ id: 'msg_a' }, store)).toEqual({ id: 'msg_a' });
  expect(resolved({ type: 'item_reference', id: 'msg_b' }, store)).toBeUndefined();
});

/** An archive that counts what is asked of it. */
class Archive implements TextArchive {
  readonly texts = new Map<string, string>();
  fails = false;

  write(id: string, text: string): boolean {
    if (!this.fails) this.texts.set(id, text);
    return !this.fails;
  }

  read(id: string): string | undefined {
    return this.texts.get(id);
  }

  has(id: string): boolean {
    return this.texts.has(id);
  }

  remove(id: string): boolean {
    return this.texts.delete(id);
  }
}

const ID = 'resp_1f';
const ITEM = 'msg_1f_0';
const WHOLE = {
  response: { id: ID },
  input: [{ type: 'message', role: 'user', content: 'My key is sk-secret' }],
  output: [{ type: 'message', id: ITEM }],
};

describe('answers in an archive', () => {
  it('are there for another process, with their items and without keys', () => {
    const archive = new Archive();
    storeAt(() => 0, archive).put(ID, WHOLE, 10);
    expect([...archive.texts.values()].join('')).not.toContain('sk-secret');
    const found = storeAt(() => 0, archive).get(ID);
    expect(found).toMatchObject({ ...WHOLE, input: [{ content: 'My key is …' }] });
    expect(storeAt(() => 0, archive).item(ITEM)).toEqual({ type: 'message', id: ITEM });
    expect(storeAt(() => 0, archive).item('msg_2f_0')).toBeUndefined();
  });

  it('are gone for all once one process deletes them', () => {
    const archive = new Archive();
    const [first, second] = [storeAt(() => 0, archive), storeAt(() => 0, archive)];
    first.put(ID, WHOLE, 10);
    expect(second.get(ID)).toMatchObject({ response: WHOLE.response, input: [{ content: 'My key is …' }] });
    expect(second.delete(ID)).toBe(true);
    expect([first.get(ID), first.item(ITEM), first.delete(ID)]).toEqual([undefined, undefined, false]);
  });

  it('can be deleted by a process that has not read them', () => {
    const archive = new Archive();
    storeAt(() => 0, archive).put(ID, WHOLE, 10);
    expect(storeAt(() => 0, archive).delete(ID)).toBe(true);
  });

  it('stay in memory where the archive fails', () => {
    const archive = new Archive();
    archive.fails = true;
    const store = storeAt(() => 0, archive);
    store.put(ID, WHOLE, 10);
    expect(store.get(ID)).toMatchObject(WHOLE);
    expect(store.item(ITEM)).toEqual({ type: 'message', id: ITEM });
  });

  it.each([
    '',
    '{',
    '[]',
    '{"response":{}}',
    '{"response":{"id":"resp_2f"},"expiresAt":1}',
    '{"response":{"id":"resp_1f"}}',
  ])('are absent where the text is another one: %s', (text) => {
    const archive = new Archive();
    archive.texts.set(ID, text);
    expect(storeAt(() => 0, archive).get(ID)).toBeUndefined();
  });
});
