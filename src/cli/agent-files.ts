/** The configuration file of each agent, and how a setup changes it. */

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Agent, AGENT_MODEL, type AgentPlace, opencodeSettings } from './agents.ts';
import type { Shell } from './shell.ts';

type Members = Readonly<Record<string, unknown>>;

/** A value of a JSON file, and the names of the members that lead to it. */
export type Setting = readonly [path: readonly [string, ...string[]], value: unknown];

/** Lines of a TOML or YAML file. */
export interface Block {
  /** Matches the line that begins the same setting. */
  readonly begins: RegExp;
  readonly text: string;
}

export interface AgentFile {
  readonly path: string;
  /** `settings` for JSON; `blocks` for files that freelm does not parse, to which it only adds. */
  readonly content: { readonly settings: readonly Setting[] } | { readonly blocks: readonly Block[] };
  /** The command that starts the agent afterwards. */
  readonly command: string;
}

/** A change of a file. */
export interface Edit {
  /** The whole new text. The old one if nothing changes. */
  readonly text: string;
  /** What changes, a line each. */
  readonly changes: readonly string[];
  /** The changes that the user has to make by hand. */
  readonly byHand: readonly string[];
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function claudeFile(env: Shell['env'], home: string, settings: readonly Setting[]): AgentFile {
  const folder = env['CLAUDE_CONFIG_DIR'] ?? join(home, '.claude');
  return { path: join(folder, 'settings.json'), content: { settings }, command: 'claude' };
}

function opencodeFile(env: Shell['env'], home: string, place: AgentPlace): AgentFile {
  const folder = join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'opencode');
  const commented = join(folder, 'opencode.jsonc');
  const path = existsSync(commented) ? commented : join(folder, 'opencode.json');
  const { model, small_model: small, provider } = opencodeSettings(place);
  const settings: readonly Setting[] = [
    [['model'], model],
    [['small_model'], small],
    [['provider', 'freelm'], provider.freelm],
  ];
  return { path, content: { settings }, command: 'opencode' };
}

function codexFile(env: Shell['env'], home: string, { url, token }: AgentPlace): AgentFile {
  const text = [
    '[model_providers.freelm]',
    'name = "freelm"',
    `base_url = ${JSON.stringify(`${url}/v1`)}`,
    'wire_api = "responses"',
    // Codex insists on the variable, so it is left out if any token will do.
    ...(token === 'any' ? [] : ['env_key = "FREELM_TOKEN"']),
  ].join('\n');
  const begins = /^\s*\[\s*model_providers\s*\.\s*["']?freelm["']?\s*\]/m;
  return {
    path: join(env['CODEX_HOME'] ?? join(home, '.codex'), 'config.toml'),
    content: { blocks: [{ begins, text }] },
    command: `codex -c model_provider=freelm -c model=${AGENT_MODEL}`,
  };
}

function aiderFile(home: string, { url, token }: AgentPlace): AgentFile {
  const settings = {
    model: `openai/${AGENT_MODEL}`,
    'openai-api-base': `${url}/v1`,
    'openai-api-key': token,
    'show-model-warnings': false,
  };
  const blocks = Object.entries(settings).map(([name, value]) => ({
    begins: new RegExp(`^${name}\\s*:`, 'm'),
    text: `${name}: ${JSON.stringify(value)}`,
  }));
  return { path: join(home, '.aider.conf.yml'), content: { blocks }, command: 'aider' };
}

/** The agent's file that `setup` writes. Undefined if none is known. */
export function agentFileOf(agent: Agent, place: AgentPlace, env: Shell['env']): AgentFile | undefined {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? homedir();
  switch (agent.command) {
    case 'claude':
      return claudeFile(
        env,
        home,
        Object.entries(agent.env(place)).map(([name, value]): Setting => [['env', name], value]),
      );
    case 'opencode':
      return opencodeFile(env, home, place);
    case 'codex':
      return codexFile(env, home, place);
    case 'aider':
      return aiderFile(home, place);
    default:
      return undefined;
  }
}

/** A copy of an object with another value at a path; undefined if a member of the path is not an object. */
function withSetting(members: Members, [path, value]: Setting): Members | undefined {
  const [name, next, ...others] = path;
  if (next === undefined) return { ...members, [name]: value };
  const inner = Object.hasOwn(members, name) ? members[name] : {};
  const changed = isMembers(inner) ? withSetting(inner, [[next, ...others], value]) : undefined;
  return changed === undefined ? undefined : { ...members, [name]: changed };
}

function valueAt(members: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    members,
  );
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return value;
  } catch {
    return undefined;
  }
}

/** Shows a value in a list of changes. Shortens objects. */
function shownValue(value: unknown): string {
  return isMembers(value) ? '{ … }' : JSON.stringify(value);
}

function editedJson(text: string, settings: readonly Setting[]): Edit {
  const whole = parsed(text);
  const all = settings.map(([path, value]) => `${path.join('.')}: ${JSON.stringify(value)}`);
  if (!isMembers(whole)) return { text, changes: [], byHand: all };
  let members = whole;
  const changes: string[] = [];
  const byHand: string[] = [];
  for (const [index, setting] of settings.entries()) {
    const [path, value] = setting;
    const old = valueAt(members, path);
    if (JSON.stringify(old) === JSON.stringify(value)) continue;
    const changed = withSetting(members, setting);
    if (changed === undefined) {
      byHand.push(all[index] ?? '');
      continue;
    }
    members = changed;
    const shown = `${path.join('.')}: ${shownValue(value)}`;
    changes.push(old === undefined ? shown : `${shown} instead of ${shownValue(old)}`);
  }
  if (changes.length === 0) return { text, changes, byHand };
  const indent = /^[ \t]+/m.exec(text)?.[0] ?? 2;
  return { text: `${JSON.stringify(members, undefined, indent)}\n`, changes, byHand };
}

function editedLines(text: string, blocks: readonly Block[]): Edit {
  const missing = blocks.filter(({ begins }) => !begins.test(text));
  const others = blocks.filter((block) => !missing.includes(block) && !text.includes(block.text));
  const byHand = others.map((block) => block.text);
  if (missing.length === 0) return { text, changes: [], byHand };
  const added = `${missing.map((block) => block.text).join('\n')}\n`;
  const before = text.trim() === '' ? '' : `${text.trimEnd()}\n\n`;
  return { text: before + added, changes: added.trimEnd().split('\n'), byHand };
}

/** Applies a setup to the text of a file. Existing content stays, and JSON values of the same name are replaced. */
export function edited(text: string, content: AgentFile['content']): Edit {
  return 'settings' in content ? editedJson(text, content.settings) : editedLines(text, content.blocks);
}
