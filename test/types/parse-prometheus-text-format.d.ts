/** The package has no types of its own. */
declare module 'parse-prometheus-text-format' {
  export interface ParsedMetric {
    readonly labels?: Readonly<Record<string, string>>;
    readonly value?: string;
    /** Of a histogram: the counts by their upper bounds. */
    readonly buckets?: Readonly<Record<string, string>>;
    readonly count?: string;
    readonly sum?: string;
  }

  export interface ParsedFamily {
    readonly name: string;
    readonly help: string;
    readonly type: 'COUNTER' | 'GAUGE' | 'HISTOGRAM' | 'SUMMARY' | 'UNTYPED';
    readonly metrics: readonly ParsedMetric[];
  }

  /** Throws an error for a line that Prometheus would not take. */
  export default function parsePrometheusTextFormat(text: string): readonly ParsedFamily[];
}
