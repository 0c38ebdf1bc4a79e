/**
 * Thresholds in billions of parameters. The speed of a mixture of experts follows its active parameters, and its size all
 * of them: `120b-a12b` is large and fast.
 */
const LARGE_FROM = 70;
const FAST_UP_TO = 20;
const SMALL_UP_TO = 14;

/** Longer texts are cut, which bounds the cost of a hostile list. */
const TEXT_KEPT = 200;

/** `2.6b`, `1t`, `e4b`, `350m`; but not `1m`, which is a context length (`qwen-plus-1m`). */
const TOTAL = /(?<![a-z0-9.])e?(\d{1,5}(?:\.\d{1,3})?)(b|t)(?![a-z0-9])|(?<![a-z0-9.])(\d{3})m(?![a-z0-9])/g;
/** `8x7b`: eight experts of seven. */
const EXPERTS = /(?<![a-z0-9.])(\d{1,3})x(\d{1,4}(?:\.\d{1,3})?)b(?![a-z0-9])/;
/** `a12b`, `a800m`: active parameters. */
const ACTIVE = /(?<![a-z0-9.])a(\d{1,4}(?:\.\d{1,3})?)(b|m)(?![a-z0-9])/;
/** `17b-128e`: active parameters, and the number of experts. */
const ACTIVE_OF_EXPERTS = /(?<![a-z0-9.])(\d{1,4}(?:\.\d{1,3})?)b-\d{1,3}e(?![a-z0-9])/;
/** The active experts of an `8x7b`, as in Mixtral, which introduced the notation. */
const ACTIVE_EXPERTS = 2;

const SMALL_WORDS = /(?<![a-z0-9])(?:lite|mini|nano|small|tiny|xs)(?![a-z0-9])/;
const FAST_WORDS = /(?<![a-z0-9])(?:flash|lightning|turbo|instant|fast)(?![a-z0-9])/;
const LARGE_WORDS = /(?<![a-z0-9])(?:large|pro|ultra|max|super)(?![a-z0-9])/;
const VISION_WORDS = /(?<![a-z0-9])(?<!non-)(?:vl|vision|omni|multimodal)(?![a-z0-9])/;
const REASONING_WORDS = /(?<![a-z0-9])(?<!non-|no-)(?:reasoning|reasoner|thinking|r1)(?![a-z0-9])/;

interface Parameters {
  readonly total: number;
  readonly active: number;
}

function parametersIn(text: string): Parameters | undefined {
  const ofExperts = ACTIVE_OF_EXPERTS.exec(text);
  if (ofExperts !== null) return { total: Number.POSITIVE_INFINITY, active: Number(ofExperts[1]) };
  const experts = EXPERTS.exec(text);
  if (experts !== null) {
    const each = Number(experts[2]);
    return { total: Number(experts[1]) * each, active: ACTIVE_EXPERTS * each };
  }
  let total = 0;
  for (const [, count, unit, millions] of text.matchAll(TOTAL)) {
    const size = millions === undefined ? Number(count) * (unit === 't' ? 1000 : 1) : Number(millions) / 1000;
    total = Math.max(total, size);
  }
  if (total === 0) return undefined;
  const active = ACTIVE.exec(text);
  if (active === null) return { total, active: total };
  return { total, active: Number(active[1]) / (active[2] === 'm' ? 1000 : 1) };
}

function sizesIn(text: string): string[] {
  const known = parametersIn(text);
  const small = known === undefined ? SMALL_WORDS.test(text) : known.total <= SMALL_UP_TO;
  const large = known === undefined ? !small && LARGE_WORDS.test(text) : known.total >= LARGE_FROM;
  const fast = small || FAST_WORDS.test(text) || (known !== undefined && known.active <= FAST_UP_TO);
  return [...(large ? ['large'] : []), ...(fast ? ['fast'] : []), ...(small ? ['small'] : [])];
}

/** An id without its vendor, or a name, normalised. */
function normalise(text: string): string {
  const cut = text.slice(0, TEXT_KEPT).toLowerCase();
  return cut.slice(cut.lastIndexOf('/') + 1).replaceAll(/[\s_()]+/g, '-');
}

/**
 * Tags for size and speed, in the order `large`, `fast`, `small`. Parameter counts decide if the text has any: from 70B
 * in total is large, up to 14B in total is small, up to 20B active is fast. Otherwise words decide, such as `pro`,
 * `flash` or `mini`.
 */
// spec 10.5
export function sizeTags(idOrName: string): readonly string[] {
  return sizesIn(normalise(idOrName));
}

/** `vision` and `reasoning`, if the id or name contains a clear word such as `vl`, `omni` or `thinking`. */
export function capabilityTags(idOrName: string): readonly string[] {
  const text = normalise(idOrName);
  return [
    ...(VISION_WORDS.test(text) ? ['vision'] : []),
    ...(REASONING_WORDS.test(text) ? ['reasoning'] : []),
  ];
}
