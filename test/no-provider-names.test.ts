import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const source = new URL('../src/', import.meta.url);
const ROOMS = ['core', 'wire', 'engine', 'rest', 'client'];

/** Names, and parts of names, by which code could know a provider. The name of each provider's file comes on top. */
const KNOWN =
  /openrouter|google|gemini|nvidia|\bnim\b|groq|mistral|\bz\.?ai\b|zhipu|cloudflare|ollama|lm ?studio|llama\.?cpp|vllm|\bkilo\b|ovh|cohere|requesty|sambanova/i;

const FILE_NAMES = readdirSync(new URL('../spec/providers/', import.meta.url))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));
const NAMES = new RegExp(`${KNOWN.source}|\\b(${FILE_NAMES.join('|')})\\b`, 'i');

/** Ollama is the name of a protocol as well. */
const PROTOCOL = /ollama\/|\b(?:OLLAMA_ROUTES|OllamaCall|ollamaError)\b/g;

/** Strings and comments, so that a comment sign inside a string starts no comment. */
const TOKEN = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

function withoutComments(code: string): string {
  return code.replaceAll(TOKEN, (token) => (token.startsWith('/') ? token.replaceAll(/[^\n]/g, ' ') : token));
}

function filesOf(room: string): readonly string[] {
  const entries = readdirSync(new URL(`${room}/`, source), { recursive: true, encoding: 'utf8' });
  return entries
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${room}/${name.replaceAll('\\', '/')}`);
}

/** The lines of code that name a provider. */
function namingLines(code: string): readonly string[] {
  return withoutComments(code)
    .split('\n')
    .filter((line) => NAMES.test(line.replaceAll(PROTOCOL, '')))
    .map((line) => line.trim());
}

describe.each(ROOMS)('no code of %s/ knows a provider by its name', (room) => {
  it.each(filesOf(room))('%s', (path) => {
    expect(namingLines(readFileSync(new URL(path, source), 'utf8'))).toEqual([]);
  });
});

describe('the search for names', () => {
  it.each([
    ["if (route.provider === 'google') return;", 1],
    ['// Google says so (2026-09)', 0],
    ['/** NVIDIA NIM sends\n * nothing. */', 0],
    ["const url = 'https://openrouter.ai'; // theirs", 1],
    ['const minimum = unanimous;', 0],
    ['const text = `nim ${model}`;', 1],
    ["import { OLLAMA_ROUTES } from './ollama/routes.ts';", 0],
    ["if (route.provider === 'ollama') return;", 1],
  ])('%j finds %d', (code, count) => {
    expect(namingLines(code)).toHaveLength(count);
  });
});
