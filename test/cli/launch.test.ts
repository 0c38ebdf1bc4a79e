/** `freelm launch` and `freelm setup`, with a program in place of an agent, and with the real agents where they are installed. */

import path from 'node:path';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { ReplyDetails, ReplyRequest } from '../../src/testing.ts';
import { command, ended, envOf, start, world } from './support.ts';

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'freelm-agent-'));
  onTestFinished(() => rm(made, { recursive: true, force: true, maxRetries: 9 }));
  return made;
}

/** Asks the endpoint as an agent does, and notes what it was started with and what it got. */
const FAKE = `#!${process.execPath}
const { OPENAI_BASE_URL, ANTHROPIC_BASE_URL, ANTHROPIC_AUTH_TOKEN, FREELM_LAUNCH_TOKEN } = process.env;
const base = ANTHROPIC_BASE_URL ?? JSON.parse(process.argv.find((one) => one.includes('base_url')).split('=')[1]).slice(0, -3);
const token = ANTHROPIC_AUTH_TOKEN ?? FREELM_LAUNCH_TOKEN;
const body = JSON.stringify({ max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] });
const headers = { 'content-type': 'application/json', authorization: 'Bearer ' + token };
const asked = (given) => fetch(base + '/v1/messages', { method: 'POST', body, headers: given }).then((r) => r.status);
Promise.all([asked(headers), asked({ ...headers, authorization: 'Bearer other' })]).then(([status, stranger]) => {
  require('node:fs').writeFileSync(process.env.NOTES, JSON.stringify({ args: process.argv.slice(2), status, stranger, base, openai: OPENAI_BASE_URL ?? null }));
  process.exit(7);
});
`;

const notesSchema = z.object({
  args: z.array(z.string()),
  status: z.number(),
  stranger: z.number(),
  base: z.string(),
  openai: z.string().nullable(),
});

describe('freelm launch', () => {
  it.each(['claude', 'codex', 'aider', 'my-own-agent'])(
    'starts %s on an endpoint of its own',
    async (name) => {
      const bin = folder();
      const notes = path.join(bin, 'notes.json');
      writeFileSync(path.join(bin, name), FAKE);
      chmodSync(path.join(bin, name), 0o755);
      const simulated = await world({ nim: { keys: 1 }, reply: () => 'Yes.' });
      const env = { ...envOf(simulated, ['nim']), PATH: bin, NOTES: notes };
      const { code } = await command(['launch', '--context', '32000', name, 'exec', '--model', 'x'], { env });
      expect(code).toBe(7);
      const { args, status, stranger, base, openai } = notesSchema.parse(
        JSON.parse(readFileSync(notes, 'utf8')),
      );
      expect([status, stranger]).toEqual([200, 401]);
      expect(args.slice(-3)).toEqual(['exec', '--model', 'x']);
      if (name === 'codex') expect(args).toContain('model_context_window=32000');
      if (name === 'my-own-agent') expect(openai).toBe(`${base}/v1`);
      await expect(fetch(`${base}/live`)).rejects.toThrow('fetch failed');
    },
  );

  it('says which program is missing', async () => {
    const simulated = await world({ nim: { keys: 1 } });
    const env = { ...envOf(simulated, ['nim']), PATH: folder() };
    const { code, err } = await command(['launch', 'claude'], { env });
    expect(code).toBe(2);
    expect(err).toContain('there is no program "claude". Install Claude Code, or add its folder to PATH.');
  });
});

describe('freelm setup', () => {
  it.each([
    ['claude', /^export ANTHROPIC_BASE_URL=http:\/\/10\.0\.0\.5:4141$/m],
    ['codex', /'model_providers\.freelm\.base_url="http:\/\/10\.0\.0\.5:4141\/v1"'/],
    ['opencode', /"baseURL":"http:\/\/10\.0\.0\.5:4141\/v1"/],
    ['another', /^export OPENAI_BASE_URL=http:\/\/10\.0\.0\.5:4141\/v1$/m],
  ])('says how to start %s', async (name, expected) => {
    const { code, out } = await command(['setup', name, '--url', 'http://10.0.0.5:4141/', '--token', 't']);
    expect(code).toBe(0);
    expect(out).toMatch(expected);
  });
});

/** A folder with the agents, e.g. `node_modules/.bin` after `npm install @anthropic-ai/claude-code opencode-ai`. */
const BIN = process.env['FREELM_AGENTS'] ?? '';

interface RealAgent {
  readonly name: string;
  readonly args: (file: string) => readonly string[];
  /** Its tool that runs a command. */
  readonly tool: string;
}

const REAL: readonly RealAgent[] = [
  {
    name: 'claude',
    args: () => ['-p', 'Write the file.', '--allowedTools', 'Bash'],
    tool: 'Bash',
  },
  { name: 'opencode', args: () => ['run', 'Write the file.'], tool: 'bash' },
];

/** Runs three commands, one after the other, and then says so. */
function agentReply(tool: string, file: string): (request: ReplyRequest) => string | ReplyDetails {
  return ({ messages, body }) => {
    if (body['tools'] === undefined) return 'A title';
    const done = messages.filter(({ role }) => role === 'tool').length;
    if (done >= 3) return 'All three are done.';
    const input = { command: `echo ${done} >> ${file}`, description: 'Writes a line.' };
    return { toolCalls: [{ name: tool, arguments: input }] };
  };
}

describe.each(REAL)('the real $name', ({ name, args, tool }) => {
  const isThere = BIN !== '' && existsSync(path.join(BIN, name));

  it.skipIf(!isThere)(
    'runs three commands in a loop under faults (skipped without FREELM_AGENTS)',
    async () => {
      const home = folder();
      const file = path.join(home, 'lines.txt');
      const faults = [{ kind: 'server-error' as const, share: 0.2 }];
      const model = { id: 'z-ai/glm-5.3', lacks: [] };
      const nim = { keys: 1, models: [model], faults };
      const simulated = await world({ nim, reply: agentReply(tool, file) });
      const env = {
        ...envOf(simulated, ['nim']),
        PATH: `${BIN}:${process.env['PATH'] ?? ''}`,
        HOME: home,
        XDG_CONFIG_HOME: home,
        XDG_DATA_HOME: home,
        XDG_STATE_HOME: home,
        XDG_CACHE_HOME: home,
      };
      const { code, out, err } = await ended(start(['launch', name, ...args(file)], env));
      expect(err + out).toContain('All three are done.');
      expect(code).toBe(0);
      expect(readFileSync(file, 'utf8')).toBe('0\n1\n2\n');
    },
    120_000,
  );
});
