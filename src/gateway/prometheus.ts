/** Counters, gauges and histograms in Prometheus' text form, version 0.0.4. */

/** A counter or a histogram keeps at most so many combinations of labels. All others count as `other`. */
const MAX_SERIES = 500;
/** The most characters of a label. */
const MAX_LABEL = 200;

export type MetricKind = 'counter' | 'gauge' | 'histogram';

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

function labelText(value: string): string {
  return value.slice(0, MAX_LABEL).replaceAll(/[\\\n"]/g, (character) => ESCAPES[character] ?? '');
}

/** One line, such as `name{label="value"} 1`. */
function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${labelText(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function heading(name: string, help: string, kind: MetricKind): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`];
}

/** A value of the moment for each combination of labels. */
export function gauge(
  name: string,
  help: string,
  values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[],
): readonly string[] {
  return [...heading(name, help, 'gauge'), ...values.map(([labels, value]) => sample(name, labels, value))];
}

/** The values of bounded many combinations of labels. */
class Series<Value> {
  readonly #labels: readonly string[];
  readonly #entries = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: Value }>();

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  /** The entry of a combination, made by `empty` if it is new. */
  of(values: readonly string[], empty: () => Value): { value: Value } {
    const key = JSON.stringify(values);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const others = this.#labels.map(() => 'other');
    if (this.#entries.size >= MAX_SERIES && key !== JSON.stringify(others)) return this.of(others, empty);
    const labels = Object.fromEntries(this.#labels.map((label, index) => [label, values[index] ?? '']));
    const entry = { labels, value: empty() };
    this.#entries.set(key, entry);
    return entry;
  }

  lines(write: (labels: Readonly<Record<string, string>>, value: Value) => readonly string[]): string[] {
    return [...this.#entries.values()].flatMap(({ labels, value }) => write(labels, value));
  }
}

export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #series: Series<number>;

  /** @param labels - Their names. `add` takes the values in this order. */
  constructor(name: string, help: string, labels: readonly string[]) {
    this.#name = name;
    this.#help = help;
    this.#series = new Series(labels);
  }

  add(labels: readonly string[], by = 1): void {
    this.#series.of(labels, () => 0).value += by;
  }

  lines(): readonly string[] {
    const lines = this.#series.lines((labels, value) => [sample(this.#name, labels, value)]);
    return [...heading(this.#name, this.#help, 'counter'), ...lines];
  }
}

interface Distribution {
  /** How many values are at most the bound of the same index. */
  readonly counts: number[];
  count: number;
  sum: number;
}

export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #series: Series<Distribution>;
  readonly #bounds: readonly number[];

  /** @param bounds - The upper bounds of the buckets, ascending. */
  constructor(name: string, help: string, labels: readonly string[], bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#series = new Series(labels);
    this.#bounds = bounds;
  }

  observe(labels: readonly string[], value: number): void {
    const { value: distribution } = this.#series.of(labels, () => ({
      counts: this.#bounds.map(() => 0),
      count: 0,
      sum: 0,
    }));
    for (const [index, bound] of this.#bounds.entries()) {
      if (value <= bound) distribution.counts[index] = (distribution.counts[index] ?? 0) + 1;
    }
    distribution.count += 1;
    distribution.sum += value;
  }

  lines(): readonly string[] {
    const name = this.#name;
    const lines = this.#series.lines((labels, { counts, count, sum }) => [
      ...counts.map((value, index) =>
        sample(`${name}_bucket`, { ...labels, le: String(this.#bounds[index]) }, value),
      ),
      sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
      sample(`${name}_sum`, labels, sum),
      sample(`${name}_count`, labels, count),
    ]);
    return [...heading(name, this.#help, 'histogram'), ...lines];
  }
}
