/** `freelm setup`: says how an agent uses an endpoint that runs already, or writes it into the agent's file. */

import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { type AgentFile, agentFileOf, type Edit, edited } from './agent-files.ts';
import { type Agent, agentOf, type AgentPlace } from './agents.ts';
import { UsageError } from './exit.ts';
import type { Shell } from './shell.ts';

export interface SetupFlags {
  readonly url?: string;
  readonly token?: string;
  readonly write?: boolean;
  readonly yes?: boolean;
}

/** A file may contain the token. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const MODE_BITS = 0o777;

/** A word as a shell reads it. */
function quoted(word: string): string {
  return /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function indented(lines: readonly string[]): string {
  return lines
    .flatMap((text) => text.split('\n'))
    .map((line) => `  ${line}\n`)
    .join('');
}

interface Existing {
  /** The real path of the file: its name may be a link. */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** @throws UsageError if there is a file that cannot be read. */
async function readExisting(path: string): Promise<Existing | undefined> {
  try {
    const real = await realpath(path);
    const { mode } = await stat(real);
    return { path: real, text: await readFile(real, 'utf8'), mode: mode & MODE_BITS };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (code === 'ENOENT') return undefined;
    throw new UsageError(`${path} cannot be read (${code}).`);
  }
}

/** Copies the file beside itself, with its rights. Returns the path of the copy. */
async function backUp({ path, mode }: Existing, at: Date): Promise<string> {
  const backup = `${path}.${at.toISOString().replaceAll(/[:.]/g, '-')}.bak`;
  await copyFile(path, backup, constants.COPYFILE_EXCL);
  await chmod(backup, mode);
  return backup;
}

/** Replaces a file atomically, so that the agent never reads half of it. */
async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
  const draft = `${path}.${process.pid}.new`;
  try {
    await writeFile(draft, text, { mode, flag: 'wx' });
    await chmod(draft, mode);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Asks on the terminal. Anything but a yes, and the end of the input, is a no. */
async function agrees({ stdin, out, signal }: Shell, question: string): Promise<boolean> {
  await out.write(question);
  const lines = createInterface({ input: stdin });
  try {
    const closed = once(lines, 'close', { signal }).then(() => '');
    const line = once(lines, 'line', { signal }).then(([text]: unknown[]) => String(text));
    line.catch(() => undefined);
    closed.catch(() => undefined);
    return /^\s*y(?:es)?\s*$/i.test(await Promise.race([line, closed]));
  } finally {
    lines.close();
  }
}

function byHandText(path: string, { byHand }: Edit): string {
  if (byHand.length === 0) return '';
  return `freelm does not change these in ${path}. Set them by hand:\n${indented(byHand)}`;
}

/** @throws UsageError if the user is to be asked, and there is no terminal. */
function checkTerminal(path: string, { yes }: SetupFlags, { stdin }: Shell): void {
  if (yes !== true && stdin.isTTY !== true)
    throw new UsageError(`--write asks before it changes ${path}, and there is no terminal. Add --yes.`);
}

/** Writes the new text, and says where the old one is. */
async function carryOut(
  { path }: AgentFile,
  existing: Existing | undefined,
  { text }: Edit,
): Promise<string> {
  const backup = existing === undefined ? undefined : await backUp(existing, new Date());
  await replaceFile(existing?.path ?? path, text, existing?.mode ?? FILE_MODE);
  return backup === undefined ? 'Written.\n' : `Written. The file as it was is ${backup}.\n`;
}

async function write({ title }: Agent, file: AgentFile, flags: SetupFlags, shell: Shell): Promise<void> {
  const { path, content, command } = file;
  const existing = await readExisting(path);
  const edit = edited(existing?.text ?? '', content);
  const rest = `${byHandText(path, edit)}Start ${title} with: ${command}\n`;
  if (edit.changes.length === 0) {
    const done = edit.byHand.length === 0 ? `${path} has it all already.\n` : '';
    await shell.out.write(done + rest);
    return;
  }
  checkTerminal(path, flags, shell);
  const what = existing === undefined ? 'makes' : 'changes';
  await shell.out.write(`This ${what} ${path}:\n${indented(edit.changes)}`);
  const isWanted = flags.yes === true || (await agrees(shell, 'Write it? [y/N] '));
  await shell.out.write(isWanted ? (await carryOut(file, existing, edit)) + rest : 'Nothing was written.\n');
}

/** Prints how to start an agent on a running endpoint. With `write`, writes the setup into the agent's file. */
export async function setup(name: string, flags: SetupFlags, shell: Shell): Promise<void> {
  const agent = agentOf(name);
  const { url = 'http://127.0.0.1:4141', token = 'any' } = flags;
  const place: AgentPlace = { url: url.replace(/\/+$/, ''), token, contextTokens: undefined };
  if (flags.write === true) {
    const file = agentFileOf(agent, place, shell.env);
    if (file === undefined)
      throw new UsageError(
        `freelm does not know the configuration file of ${name}. Run freelm setup ${name} without --write.`,
      );
    await write(agent, file, flags, shell);
    return;
  }
  const variables = Object.entries(agent.env(place)).map(([key, value]) => `export ${key}=${quoted(value)}`);
  const command = [agent.command, ...agent.args(place)].map(quoted).join(' ');
  const lines = [`# ${agent.title} with freelm serve at ${place.url}`, ...variables, command, ''];
  await shell.out.write(lines.join('\n'));
}
