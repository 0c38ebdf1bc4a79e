/**
 * Tool calls that a model wrote into its text, because the server in front of it did not read its dialect. A call is taken
 * where it is certain: its name is one of the declared tools, the text ends with it, and either a marker sets it apart or
 * the text is nothing else.
 */

import type { DeclaredTools } from '../request/declared-tools.ts';
import {
  CALL_KEYS,
  type FoundCalls,
  jsonCallsAt,
  namedCallAt,
  taggedCallAt,
  type WrittenCall,
} from './call-forms.ts';
import { MOST_REPAIRED } from './loose-json.ts';
import { thoughtsLength } from './thoughts.ts';

/** What a text turned out to be. */
export type WrittenCalls =
  | { readonly kind: 'prose' }
  /** `text`: what the model said before its calls. */
  | { readonly kind: 'calls'; readonly text: string; readonly calls: readonly WrittenCall[] }
  /** It ends with what a marker sets apart as a call, and that cannot be read as one of a declared tool. */
  | { readonly kind: 'broken' };

const PROSE: WrittenCalls = { kind: 'prose' };
const BROKEN: WrittenCalls = { kind: 'broken' };

/** More calls are no answer to a question. */
const MAX_CALLS = 64;
/** Markers that are looked at, and those that are tried. A text with more of them is about markers. */
const MARKERS_SEEN = 16;
const MARKERS_TRIED = 4;

/** A text that is one block of code. */
const BLOCK = /^```(?:json|tool_code|tool_calls?|function_call|xml)?\s*\n([^]*?)\n?```$/;

/** Marks that only a model's template writes. */
const TOKEN =
  /\[TOOL_CALLS?\]|<\|python_tag\|>|<[|｜]tool[_▁]calls?(?:[_▁]section)?(?:[_▁]begin)?[|｜]>|(?:<\|start\|>)?(?:assistant)?(?:<\|channel\|>)?(?:commentary|analysis)? ?to=functions\.(?=[\w.-]+\s*(?:<\||json|code|\{))/g;
/** Tags that prose mentions as well. They count at the beginning of a line and after a sentence. */
// The tag is found first: looking back through white space from every place would take the square of its length.
const TAG =
  /<(?:tool_calls?|function_calls?|tool_use|function[= ]|invoke )(?<=(?:^[^\S\n]*|[.!?]\s)<(?:tool_calls?|function_calls?|tool_use|function[= ]|invoke ))/gm;
/** Words that begin a call in the formats of some prompts. */
const WORD = /^(?:functools(?=\[)|Action:)/gm;

/** What may stand before, between and after calls. */
const FILLER =
  /(?:\s|<\/?(?:tool_calls?|function_calls?|tool_use|tools?|function|invoke)>|<\/[\w.:-]+>|<[|｜][^<>|｜]{1,40}[|｜]>|\[\/?TOOL_CALLS?\]|```\w*|functools(?=\[)|Action:|Observation:\s*$|(?:assistant)?(?:commentary|analysis)? ?to=functions\.|(?:assistant|function)(?=<)|print\((?=[\w.]+\()|\[(?=\s*[\w.]+\()|[,;}\])])*/y;

/** What the template of one model family writes around its reasoning. */
const CHANNEL = /<\|channel\|>analysis<\|message\|>[^]*?(?:<\|end\|>|$)/g;

function skipFiller(text: string, at: number): number {
  FILLER.lastIndex = at;
  return at + (FILLER.exec(text)?.[0].length ?? 0);
}

/** Calls from a place to the end of the text. */
function callsFrom(
  text: string,
  from: number,
  tools: DeclaredTools,
  isMarked: boolean,
): readonly WrittenCall[] | undefined {
  const calls: WrittenCall[] = [];
  let at = skipFiller(text, from);
  while (at < text.length) {
    const found: FoundCalls | undefined =
      jsonCallsAt(text, at, tools, { isMarked }) ??
      taggedCallAt(text, at, tools) ??
      namedCallAt(text, at, tools);
    if (found === undefined || calls.length + found.calls.length > MAX_CALLS) return undefined;
    calls.push(...found.calls);
    at = skipFiller(text, found.end);
  }
  return calls.length === 0 ? undefined : calls;
}

/** How many lines of a text begin or end a block of code. */
export function fencesIn(text: string): number {
  return text.match(/^[^\S\n]*```/gm)?.length ?? 0;
}

/** Whether a place is within quoted code. `fencesBefore` the text are those of its beginning that was cut off. */
function isQuoted(text: string, at: number, fencesBefore: number): boolean {
  const before = text.slice(0, at);
  const line = before.slice(before.lastIndexOf('\n') + 1);
  const ticks = line.split('`').length - 1;
  const fences = fencesBefore + fencesIn(before);
  return fences % 2 === 1 || (!line.includes('```') && ticks % 2 === 1);
}

/** The first places of a marker that are not quoted, from `from` on. */
function placesOf(text: string, marker: RegExp, from = 0, fencesBefore = 0): readonly number[] {
  const places: number[] = [];
  marker.lastIndex = from;
  for (let seen = 0; seen < MARKERS_SEEN && places.length < MARKERS_TRIED; seen += 1) {
    const found = marker.exec(text);
    if (found === null) break;
    if (!isQuoted(text, found.index, fencesBefore)) places.push(found.index);
  }
  return places;
}

/** What follows a tag if a call was meant. */
const CALL_START = /^(?:[{[<]|[\w.-]+\s*[\n({<])/;

/** Whether a tag begins a call that cannot be read. If prose follows the last tag, the text is about tags. */
function isUnreadable(text: string, tag: number): boolean {
  const last = text.lastIndexOf('>');
  const isAbout = text.includes('</', tag) && text.slice(last + 1).trim() !== '';
  return !isAbout && CALL_START.test(text.slice(skipFiller(text, tag)));
}

function markedCalls(text: string, tools: DeclaredTools): WrittenCalls {
  const tokens = placesOf(text, TOKEN);
  const tags = placesOf(text, TAG);
  const starts = new Set<number>();
  for (const place of [...tokens, ...tags, ...placesOf(text, WORD)]) {
    const start = skipFiller(text, place);
    if (starts.has(start)) continue;
    starts.add(start);
    const calls = callsFrom(text, place, tools, true);
    if (calls !== undefined)
      return { kind: 'calls', text: text.slice(0, place).replaceAll(CHANNEL, '').trim(), calls };
  }
  const isBroken = [...tokens, ...tags].some((place) => isUnreadable(text, place));
  return isBroken ? BROKEN : PROSE;
}

/** A name at the beginning of a text. */
const FIRST_NAME = /^(?:print\()?(?:<function=|<)?(?:functions?\.|default_api\.|tools?\.)?([\w.-]+)/;

/** Whether a text that is nothing but calls may begin like this. */
function beginsCall(text: string, tools: DeclaredTools): boolean {
  if (/^[[{]/.test(text)) return true;
  const name = FIRST_NAME.exec(text)?.[1];
  return name !== undefined && tools.has(name);
}

/** Finds the calls in the text of a whole answer. */
// spec 13.9
export function writtenCalls(answer: string, tools: DeclaredTools): WrittenCalls {
  if (tools.size === 0 || answer.length > MOST_REPAIRED) return PROSE;
  const thoughts = answer.slice(0, thoughtsLength(answer) ?? 0);
  const given = answer.slice(thoughts.length).trim();
  const text = BLOCK.exec(given)?.[1]?.trim() ?? given;
  const whole = beginsCall(text, tools) ? callsFrom(text, 0, tools, false) : undefined;
  if (whole !== undefined) return { kind: 'calls', text: thoughts.trim(), calls: whole };
  const marked = markedCalls(text, tools);
  return marked.kind === 'calls' ? { ...marked, text: (thoughts + marked.text).trim() } : marked;
}

/** Names of members with which a call written as JSON begins. */
const FIRST_KEYS: readonly string[] = [...CALL_KEYS, 'function_call', 'tool_call', 'tool_calls'];
/** The beginning of a JSON value up to its first key, and that key. */
const JSON_START = /^(?:\[\s*)*(?:\{\s*(?:["'“]?([\w.-]*)(["'”:])?)?)?/;
const BLOCK_START = /^```(?:json|tool_code|tool_calls?|function_call|xml)?\s/;
/** What may follow the name of a tool. */
const AFTER_NAME = /^\s*(?:[({<>:=]|$)/;
/** What models write before the name of a tool. */
const NAME_STARTS: readonly string[] = ['print', 'functions.', 'default_api.', 'tools.'];

function mayBeKey(key: string, isWhole: boolean, tools: DeclaredTools): boolean {
  const known = [...FIRST_KEYS, ...tools.keys()];
  return known.some((name) => (isWhole ? name === key : name.startsWith(key)));
}

/** Whether a text may be, or become, a call by the name of a tool or of what models write before it. */
function mayBeNamed(text: string, tools: DeclaredTools): boolean {
  const found = FIRST_NAME.exec(text);
  if (found === null) return false;
  const [start, name = ''] = found;
  const rest = text.slice(start.length);
  if (rest === '') return [...tools.keys(), ...NAME_STARTS].some((known) => known.startsWith(name));
  return (tools.has(name) && AFTER_NAME.test(rest)) || (name === 'print' && rest === '(');
}

/** Whether a text may be, or become, a list or an object that describes calls. */
function mayBeData(text: string, tools: DeclaredTools): boolean {
  const [start = '', key, end] = JSON_START.exec(text) ?? [];
  if (key !== undefined) return mayBeKey(key, end !== undefined, tools);
  return start.length === text.length || mayBeNamed(text.replace(/^\[\s*/, ''), tools);
}

/** Whether a text that may go on is nothing but calls, as far as it has come. True if it has not begun. */
export function mayBeginCall(beginning: string, tools: DeclaredTools): boolean {
  const given = beginning.trimStart();
  if (/^`{1,2}$|^```[\w]*$/.test(given)) return true;
  const block = BLOCK_START.exec(given)?.[0];
  const text = block === undefined ? given : given.slice(block.length).trimStart();
  if (text === '' || text === '<' || /^<[|｜]/.test(text)) return true;
  return /^[[{]/.test(text) ? mayBeData(text, tools) : mayBeNamed(text, tools);
}

/** Lines that begin like this may become calls. */
const LINE_STARTS: readonly string[] = ['functools[', 'Action:', 'commentary to=', 'assistantcommentary to='];
const HARMONY_LINE = /^(?:assistant)?(?:commentary|analysis) to=/;
/** A token of any model's template. */
const ANY_TOKEN = /<[|｜]/g;
/** A tag of which only a part may have come. */
const PART_OF_TAG = /[<[][^<>[\]\n]{0,40}$/;
/** The longest part of a marker, in characters. */
const TAIL = 128;

/** Where text is held back. */
interface HeldPlace {
  readonly place: number;
  /** Whether a marker begins there, so that no more text changes the place. */
  readonly isCertain: boolean;
}

/**
 * Where a marker begins, or what may become one; the text's length if there is none.
 * @param fencesBefore - The fences of the text's beginning, if that was cut off.
 */
export function callMarkerAt(text: string, from: number, fencesBefore: number): HeldPlace {
  const markers = [TOKEN, TAG, WORD, ANY_TOKEN].flatMap((marker) =>
    placesOf(text, marker, from, fencesBefore).slice(0, 1),
  );
  const marker = Math.min(text.length, ...markers);
  const parts: number[] = [];
  const tail = Math.max(0, text.length - TAIL);
  const part = PART_OF_TAG.exec(text.slice(tail));
  if (part !== null) parts.push(tail + part.index);
  const line = text.slice(tail).lastIndexOf('\n') + 1;
  const lastLine = text.slice(tail + line);
  const mayBegin = HARMONY_LINE.test(lastLine) || LINE_STARTS.some((start) => start.startsWith(lastLine));
  if (lastLine !== '' && mayBegin && (line > 0 || tail === 0)) parts.push(tail + line);
  const place = Math.min(marker, ...parts.filter((one) => one >= from));
  return { place, isCertain: place === marker && marker < text.length };
}
