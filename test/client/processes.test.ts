/** Pools in processes of their own that share a folder. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { libraryFile } from '../support/library.ts';
import { CountingProvider, type Job, killAtRandom, PoolProcess } from '../support/processes.ts';
import { temporaryFolder } from './support.ts';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

const library = libraryFile('index.js');

function start(job: Job): PoolProcess {
  const running = new PoolProcess(library, job);
  onTestFinished(() => void running.child.kill());
  return running;
}

function startAll(count: number, job: Job): readonly PoolProcess[] {
  return Array.from({ length: count }, () => start(job));
}

async function provider(latencyMs: number): Promise<CountingProvider> {
  const counting = new CountingProvider(latencyMs);
  await counting.listen();
  onTestFinished(() => {
    counting.close();
  });
  return counting;
}

it('8 processes with 500 calls each on a limit of 1,000 are granted exactly 1,000', async () => {
  const job = {
    cacheDir: temporaryFolder(),
    isFake: true,
    calls: 500,
    provider: { rpm: 100_000, rpd: 1000 },
  };
  const served = await Promise.all(startAll(8, job).map((running) => running.served()));
  expect(served.reduce((sum, one) => sum + one, 0)).toBe(1000);
});

it('8 processes that wait for 2 places at once never use 3, and all calls are served', async () => {
  const mine = await provider(5);
  const pool = { wait: true, maxWaitMs: 200_000, timeoutMs: 200_000 };
  const job = { cacheDir: temporaryFolder(), url: mine.url, calls: 5, provider: { concurrency: 2 }, pool };
  const served = await Promise.all(startAll(8, job).map((running) => running.served()));
  expect(served).toEqual(Array.from({ length: 8 }, () => 5));
  expect([mine.requests, mine.mostUnderWay <= 2]).toEqual([40, true]);
});

it('ten processes that start at once on an empty folder all work, and agree', async () => {
  const folder = join(temporaryFolder(), 'made', 'when needed');
  const job = { cacheDir: folder, isFake: true, calls: 3, provider: { rpm: 20, rpd: 20 } };
  const running = startAll(10, job);
  const served = await Promise.all(running.map((one) => one.served()));
  expect(running.flatMap(({ lines }) => lines.filter((line) => /^(?:warning|error)/.test(line)))).toEqual([]);
  expect(served.reduce((sum, one) => sum + one, 0)).toBe(20);
  expect(readdirSync(join(folder, 'state'))).toEqual(['1']);
});

it('kill -9 at random instants loses no booking, adds at most one a kill, and leaves nothing unreadable', async () => {
  const { kills, counted, booked, warnings } = await killAtRandom(library, temporaryFolder(), 10, 4);
  expect(warnings).toEqual([]);
  expect(counted).toBeGreaterThanOrEqual(kills);
  expect(booked).toBeGreaterThanOrEqual(counted);
  expect(booked).toBeLessThanOrEqual(counted + kills);
});

it('a process whose folder is removed again and again goes on', async () => {
  const folder = temporaryFolder();
  const running = start({
    cacheDir: folder,
    isFake: true,
    calls: 200,
    provider: { rpm: 100_000, rpd: 100_000 },
  });
  const timer = setInterval(() => {
    try {
      rmSync(join(folder, 'state'), { recursive: true, force: true });
    } catch {
      // The process has just written into it. The next turn removes it.
    }
  }, 3);
  const lines = await running.ended();
  clearInterval(timer);
  expect(lines.at(-1)).toBe('served 200');
  expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
  expect(lines.filter((line) => line.startsWith('warning')).length).toBeLessThanOrEqual(1);
});

it('a user without a home gets a pool that works, and one warning', async () => {
  const lines = await start({ isHomeless: true, isFake: true, calls: 3 }).ended();
  expect(lines.filter((line) => line.startsWith('warning'))).toEqual([
    expect.stringMatching(/no home directory\. Name a folder with FREELM_CACHE_DIR/),
  ]);
  expect(lines.at(-1)).toBe('served 3');
  const folder = temporaryFolder();
  expect(await start({ isHomeless: true, cacheDir: folder, isFake: true, calls: 1 }).ended()).toEqual([
    'first',
    'served 1',
  ]);
});

/** Mounts a disk of 64 kB; undefined if this user may not. */
function smallDisk(): string | undefined {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  if (status !== 0) return undefined;
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  return folder;
}

describe('a full disk', () => {
  it('costs no call but one warning', async ({ skip }) => {
    const folder = smallDisk();
    if (folder === undefined)
      return skip('only root may mount a small disk; test/adapters/file-store.test.ts tests ENOSPC');
    spawnSync('dd', ['if=/dev/zero', `of=${join(folder, 'full')}`, 'bs=1k']);
    const lines = await start({ cacheDir: folder, isFake: true, calls: 5 }).ended();
    expect(lines.filter((line) => line.startsWith('warning'))).toEqual([expect.stringMatching(/ENOSPC/)]);
    expect(lines.at(-1)).toBe('served 5');
    rmSync(join(folder, 'full'));
    expect(await start({ cacheDir: folder, isFake: true, calls: 1 }).ended()).toEqual(['first', 'served 1']);
    expect(readdirSync(folder)).toEqual(['state']);
  });
});
