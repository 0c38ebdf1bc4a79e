/** `freelm setup --write`, in a home of its own. */

import path from 'node:path';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { command, type Finished, terminal } from './support.ts';

const FILES = {
  claude: '.claude/settings.json',
  opencode: '.config/opencode/opencode.json',
  codex: '.codex/config.toml',
  aider: '.aider.conf.yml',
} as const;
type Name = keyof typeof FILES;
const NAMES: readonly Name[] = ['claude', 'opencode', 'codex', 'aider'];

interface Home {
  readonly folder: string;
  readonly file: string;
  /** The file as it is. */
  readonly text: () => string;
  readonly json: () => unknown;
  readonly mode: () => number;
  /** The names beside the file, without its own. */
  readonly others: () => readonly string[];
  readonly write: (text: string, mode?: number) => void;
  /** Runs `freelm setup NAME --write`, with an answer on the terminal, or with none. */
  readonly setup: (args?: readonly string[], answer?: string) => Promise<Finished>;
}

function modeOf(file: string): number {
  return statSync(file).mode & 0o777;
}

function homeOf(name: Name): Home {
  const folder = mkdtempSync(path.join(tmpdir(), 'freelm-home-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, FILES[name]);
  const text = (): string => readFileSync(file, 'utf8');
  return {
    folder,
    file,
    text,
    json: () => JSON.parse(text()) as unknown,
    mode: () => modeOf(file),
    others: () => readdirSync(path.dirname(file)).filter((one) => one !== path.basename(file)),
    write(given, mode = 0o600) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, given);
      chmodSync(file, mode);
    },
    setup(args = [], answer) {
      const stdin =
        answer === undefined ? '' : Object.assign(Readable.from([Buffer.from(answer)]), { isTTY: true });
      return command(['setup', name, '--write', ...args], { env: { HOME: folder }, stdin });
    },
  };
}

describe.each(NAMES)('freelm setup %s --write', (name) => {
  it('makes a file that only its owner may read, and changes nothing the second time', async () => {
    const home = homeOf(name);
    const { code, out } = await home.setup(['--token', 'secret', '--url', 'http://10.0.0.5:4141/'], 'y\n');
    expect([code, home.mode()]).toEqual([0, 0o600]);
    expect(out).toContain(`This makes ${home.file}:`);
    expect(home.text()).toContain('http://10.0.0.5:4141');
    const written = home.text();
    const again = await home.setup(['--token', 'secret', '--url', 'http://10.0.0.5:4141/']);
    expect(again.out).toContain(`${home.file} has it all already.`);
    expect([again.code, home.text(), home.others()]).toEqual([0, written, []]);
  });

  it.each(['n\n', '\n', 'yes please\n', ''])('writes nothing after the answer %j', async (answer) => {
    const home = homeOf(name);
    const { code, out } = await home.setup([], answer);
    expect(code).toBe(0);
    expect(out).toMatch(/Write it\? \[y\/N\] Nothing was written\.\n$/);
    expect(readdirSync(home.folder)).toEqual([]);
  });

  it('does not write without a terminal, unless it is told so', async () => {
    const home = homeOf(name);
    const refused = await home.setup();
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('there is no terminal. Add --yes.');
    expect(readdirSync(home.folder)).toEqual([]);
    expect((await home.setup(['--yes'])).code).toBe(0);
    expect(home.text()).toContain('http://127.0.0.1:4141');
  });

  it('changes the file that a link leads to', async () => {
    const home = homeOf(name);
    const real = path.join(home.folder, 'real');
    writeFileSync(real, '');
    mkdirSync(path.dirname(home.file), { recursive: true });
    symlinkSync(real, home.file);
    await home.setup(['--yes']);
    expect(readFileSync(real, 'utf8')).toContain('http://127.0.0.1:4141');
  });
});

describe('what a file has already', () => {
  it('stays in JSON, and values of the same name are replaced after they were shown', async () => {
    const home = homeOf('claude');
    const before = {
      permissions: { allow: ['Bash'] },
      env: { FOO: 'bar', ANTHROPIC_BASE_URL: 'https://old.example' },
      ['__proto__']: { kept: true },
    };
    const text = JSON.stringify(before, undefined, '\t');
    home.write(text, 0o640);
    const { out } = await home.setup([], 'Y\n');
    expect(out).toContain('env.ANTHROPIC_BASE_URL: "http://127.0.0.1:4141" instead of "https://old.example"');
    expect(home.json()).toEqual({
      ...before,
      env: {
        FOO: 'bar',
        ANTHROPIC_BASE_URL: 'http://127.0.0.1:4141',
        ANTHROPIC_AUTH_TOKEN: 'any',
        ANTHROPIC_API_KEY: '',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
    });
    expect(home.text()).toContain('\n\t"permissions"');
    const [backup = '', ...more] = home.others();
    const copy = path.join(path.dirname(home.file), backup);
    expect([more, backup]).toEqual([
      [],
      expect.stringMatching(/^settings\.json\.\d{4}-\d\d-\d\dT[\d-]+Z\.bak$/),
    ]);
    expect([readFileSync(copy, 'utf8'), modeOf(copy), home.mode()]).toEqual([text, 0o640, 0o640]);
    expect(out).toContain(copy);
  });

  it('stays beside a provider', async () => {
    const home = homeOf('opencode');
    home.write('{ "theme": "dark", "provider": { "mine": { "name": "Mine" } } }');
    await home.setup(['--yes']);
    expect(home.json()).toMatchObject({
      theme: 'dark',
      model: 'freelm/large:tools',
      provider: { mine: { name: 'Mine' }, freelm: { options: { baseURL: 'http://127.0.0.1:4141/v1' } } },
    });
  });

  it('stays in TOML, which is added to', async () => {
    const home = homeOf('codex');
    home.write('model = "gpt-5"\n\n[model_providers.mine]\nname = "Mine"\n\n\n');
    await home.setup(['--yes', '--token', 't']);
    expect(home.text()).toBe(
      'model = "gpt-5"\n\n[model_providers.mine]\nname = "Mine"\n\n[model_providers.freelm]\nname = "freelm"\nbase_url = "http://127.0.0.1:4141/v1"\nwire_api = "responses"\nenv_key = "FREELM_TOKEN"\n',
    );
  });

  it.each([
    ['codex', '[model_providers.freelm]\nbase_url = "https://old.example"\n', '[model_providers.freelm]'],
    ['codex', '[ model_providers . "freelm" ]\n', '[model_providers.freelm]'],
    ['claude', '// a comment\n{}', 'env.ANTHROPIC_BASE_URL: "http://127.0.0.1:4141"'],
    ['claude', '[]', 'env.ANTHROPIC_BASE_URL'],
    ['claude', '{ "env": "none" }', 'env.ANTHROPIC_BASE_URL'],
  ] as const)('is left alone where it cannot be changed: %s %j', async (name, text, shown) => {
    const home = homeOf(name);
    home.write(text);
    const { code, out } = await home.setup(['--yes']);
    expect([code, home.text(), home.others()]).toEqual([0, text, []]);
    expect(out).toContain(`freelm does not change these in ${home.file}. Set them by hand:`);
    expect(out).toContain(shown);
  });

  it('is added to in YAML, but for settings that it has', async () => {
    const home = homeOf('aider');
    home.write('model: gpt-5\ndark-mode: true\n');
    const { out } = await home.setup(['--yes']);
    expect(home.text()).toBe(
      'model: gpt-5\ndark-mode: true\n\nopenai-api-base: "http://127.0.0.1:4141/v1"\nopenai-api-key: "any"\nshow-model-warnings: false\n',
    );
    expect(out).toContain('Set them by hand:\n  model: "openai/large:tools"');
  });
});

it('says so where it knows no file', async () => {
  const { code, err } = await command(['setup', 'another', '--write'], { stdin: terminal() });
  expect(code).toBe(2);
  expect(err).toContain(
    'freelm does not know the configuration file of another. Run freelm setup another without --write.',
  );
});
