/** Guesses how large and how fast a model is, and what it can see, from its id or its name. */

/**
 * Thresholds in thousands of millions of parameters ("B"). A mixture of experts answers as fast as what is active
 * of it, and knows as much as its whole: `120b-a12b` is large and fast.
 */
const LARGE_FROM = 70;
const FAST_UP_TO = 20;
const SMALL_UP_TO = 14;

/** Longer texts are cut: no name needs more, and no answer may cost more. */
const TEXT_KEPT = 200;

/** `2.6b`, `1t`, `e4b`, `350m`; `1m` is left alone: it is a context length (`qwen-plus-1m`). */
const WHOLE = /(?<![a-z0-9.])e?(\d{1,5}(?:\.\d{1,3})?)(b|t)(?![a-z0-9])|(?<![a-z0-9.])(\d{3})m(?![a-z0-9])/g;
/** `8x7b`: eight experts of seven. */
const EXPERTS = /(?<![a-z0-9.])(\d{1,3})x(\d{1,4}(?:\.\d{1,3})?)b(?![a-z0-9])/;
/** `a12b`, `a800m`: what is active at once. */
const ACTIVE = /(?<![a-z0-9.])a(\d{1,4}(?:\.\d{1,3})?)(b|m)(?![a-z0-9])/;
/** `17b-128e`: the count is what is active, of so many experts. */
const ACTIVE_OF_EXPERTS = /(?<![a-z0-9.])(\d{1,4}(?:\.\d{1,3})?)b-\d{1,3}e(?![a-z0-9])/;
/** Experts at work at the same time where only `8x7b` is known: what Mixtral, who brought the notation, does. */
const EXPERTS_AT_WORK = 2;

const SMALL_WORDS = /(?<![a-z0-9])(?:lite|mini|nano|small|tiny|xs)(?![a-z0-9])/;
const FAST_WORDS = /(?<![a-z0-9])(?:flash|lightning|turbo|instant|fast)(?![a-z0-9])/;
const LARGE_WORDS = /(?<![a-z0-9])(?:large|pro|ultra|max|super)(?![a-z0-9])/;
const VISION_WORDS = /(?<![a-z0-9])(?<!non-)(?:vl|vision|omni|multimodal)(?![a-z0-9])/;
const REASONING_WORDS = /(?<![a-z0-9])(?<!non-|no-)(?:reasoning|reasoner|thinking|r1)(?![a-z0-9])/;

interface Parameters {
  readonly whole: number;
  readonly active: number;
}

function parameters(text: string): Parameters | undefined {
  const ofExperts = ACTIVE_OF_EXPERTS.exec(text);
  if (ofExperts !== null) return { whole: Number.POSITIVE_INFINITY, active: Number(ofExperts[1]) };
  const experts = EXPERTS.exec(text);
  if (experts !== null) {
    const each = Number(experts[2]);
    return { whole: Number(experts[1]) * each, active: EXPERTS_AT_WORK * each };
  }
  let whole = 0;
  for (const [, count, unit, millions] of text.matchAll(WHOLE)) {
    const size = millions === undefined ? Number(count) * (unit === 't' ? 1000 : 1) : Number(millions) / 1000;
    whole = Math.max(whole, size);
  }
  if (whole === 0) return undefined;
  const active = ACTIVE.exec(text);
  if (active === null) return { whole, active: whole };
  return { whole, active: Number(active[1]) / (active[2] === 'm' ? 1000 : 1) };
}

function sizes(text: string): string[] {
  const known = parameters(text);
  const small = known === undefined ? SMALL_WORDS.test(text) : known.whole <= SMALL_UP_TO;
  const large = known === undefined ? !small && LARGE_WORDS.test(text) : known.whole >= LARGE_FROM;
  const fast = small || FAST_WORDS.test(text) || (known !== undefined && known.active <= FAST_UP_TO);
  return [...(large ? ['large'] : []), ...(fast ? ['fast'] : []), ...(small ? ['small'] : [])];
}

/** The part of an id after its vendor, in lower case; a name stays whole. */
function bare(text: string): string {
  const cut = text.slice(0, TEXT_KEPT).toLowerCase();
  return cut.slice(cut.lastIndexOf('/') + 1).replaceAll(/[\s_()]+/g, '-');
}

/**
 * Tags for size and speed, in the order `large`, `fast`, `small`. Parameter counts decide where the text has them:
 * 70B and more in all is large, up to 14B in all is small, up to 20B active is fast. Without a count the words do:
 * `pro`, `ultra`, `max`, `super`, `large` | `flash`, `lightning`, `turbo`, … | `lite`, `mini`, `nano`, `small`, ….
 * A text that says nothing gets no tag.
 */
export function sizeTags(idOrName: string): readonly string[] {
  return sizes(bare(idOrName));
}

/** `vision` and `reasoning`, only where the id or name says so plainly (`-vl-`, `vision`, `omni`; `thinking`, …). */
export function capabilityTags(idOrName: string): readonly string[] {
  const text = bare(idOrName);
  return [
    ...(VISION_WORDS.test(text) ? ['vision'] : []),
    ...(REASONING_WORDS.test(text) ? ['reasoning'] : []),
  ];
}
