import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { IncomingBody } from '../../src/adapters/incoming-body.ts';
import { microtasks } from '../support/microtasks.ts';

const KIB = 1024;

/** A body whose connection delivers `pieces` while it is not paused, and then ends. */
function bodyOf(pieces: readonly Uint8Array[]): { readonly body: IncomingBody; readonly log: string[] } {
  const log: string[] = [];
  const left = [...pieces];
  const deliver = (): void => {
    for (let piece = left.shift(); piece !== undefined; piece = left.shift()) {
      if (body.push(piece)) continue;
      log.push('paused');
      return;
    }
    body.end();
  };
  const body = new IncomingBody({
    resume: () => {
      log.push('resumed');
      deliver();
    },
    abort: () => void log.push('aborted'),
  });
  deliver();
  return { body, log };
}

/** A body that needs nothing of its connection. */
function idle(): IncomingBody {
  return new IncomingBody({ resume: () => expect.unreachable(), abort: () => expect.unreachable() });
}

async function read(body: IncomingBody): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('a body', () => {
  it('is handed out whole and in order, however fast its pieces come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 100 * KIB })), async (lengths) => {
        const pieces = lengths.map((length, index) => new Uint8Array(length).fill(index));
        const { body } = bodyOf(pieces);
        expect(Buffer.compare(await read(body), Buffer.concat(pieces))).toBe(0);
      }),
    );
  });

  it('hands out together the pieces that have come', async () => {
    const body = idle();
    for (const byte of [1, 2]) body.push(Uint8Array.of(byte));
    expect(await body.next()).toEqual({ done: false, value: Buffer.of(1, 2) });
    const waiting = body.next();
    for (const byte of [3, 4, 5]) body.push(Uint8Array.of(byte));
    body.end();
    expect(await waiting).toEqual({ done: false, value: Buffer.of(3, 4, 5) });
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  it('waits with its pieces for those of other bodies that come in the same turn', async () => {
    const [first, second] = [idle(), idle()];
    const log: string[] = [];
    const reads = [first, second].map((body) =>
      body.next().then(({ value }) => log.push(`read ${String(value)}`)),
    );
    for (const [index, body] of [first, second].entries()) {
      log.push(`came ${index}`);
      body.push(Uint8Array.of(index));
      await microtasks();
    }
    await Promise.all(reads);
    expect(log).toEqual(['came 0', 'came 1', 'read 0', 'read 1']);
  });

  it('hands a waiting reader what came before a break', async () => {
    const body = idle();
    const waiting = body.next();
    body.push(Uint8Array.of(1));
    body.fail(new Error('reset'));
    expect(await waiting).toEqual({ done: false, value: Uint8Array.of(1) });
    await expect(body.next()).rejects.toThrow('reset');
  });

  it('rejects a waiting reader when it is cancelled, whatever has come', async () => {
    const body = idle();
    const waiting = body.next();
    body.push(Uint8Array.of(1));
    body.cancel(new Error('aborted'));
    await expect(waiting).rejects.toThrow('aborted');
  });

  it('rejects its reader when it is cancelled before its last piece is delivered', async () => {
    for (const isWaiting of [true, false]) {
      const body = idle();
      const early = isWaiting ? body.next() : undefined;
      body.push(Uint8Array.of(1));
      body.end();
      body.cancel(new Error('aborted'));
      await expect(early ?? body.next()).rejects.toThrow('aborted');
      expect(await body.next()).toMatchObject({ done: true });
    }
  });

  it('pauses its connection at 64 KiB that are not read, until they are', async () => {
    const { body, log } = bodyOf([40, 24, 1].map((size) => new Uint8Array(size * KIB)));
    expect(log).toEqual(['paused']);
    await body.next();
    expect(log).toEqual(['paused', 'resumed']);
    expect(await read(body)).toHaveLength(KIB);
    expect(log).toEqual(['paused', 'resumed']);
  });

  it('is not paused while its reader waits', async () => {
    const body = idle();
    const piece = body.next();
    expect(body.push(new Uint8Array(100 * KIB))).toBe(true);
    expect(await piece).toMatchObject({ done: false });
    const end = body.next();
    body.end();
    expect(await end).toEqual({ done: true, value: undefined });
  });

  it('closes its connection when the reader leaves before the end, and only then', async () => {
    const unfinished = bodyOf([40, 40].map((size) => new Uint8Array(size * KIB)));
    for await (const _ of unfinished.body) break;
    expect(unfinished.log).toEqual(['paused', 'resumed']);
    const open = new IncomingBody({ resume: () => expect.unreachable(), abort: () => void left.push(1) });
    const left: number[] = [];
    open.push(new Uint8Array(1));
    for await (const _ of open) break;
    expect(left).toEqual([1]);
    expect(await open.next()).toMatchObject({ done: true });
  });

  const reason = new Error('reset');

  it('that breaks rejects its reader once, after all that has come before', async () => {
    const body = idle();
    body.push(new Uint8Array(100 * KIB));
    body.fail(reason);
    body.fail(new Error('a later one'));
    expect(await body.next()).toMatchObject({ done: false });
    await expect(body.next()).rejects.toBe(reason);
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  it('that breaks rejects a reader that waits', async () => {
    const body = idle();
    const waiting = body.next();
    body.fail(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('that is cancelled hands out nothing more', async () => {
    const body = idle();
    body.push(new Uint8Array(1));
    body.cancel(reason);
    await expect(body.next()).rejects.toBe(reason);
  });

  it('that is complete does not break', async () => {
    const { body } = bodyOf([new Uint8Array(1)]);
    body.fail(new Error('late'));
    expect(await read(body)).toEqual(Buffer.alloc(1));
  });
});
