/** What is known of a model before it is called. */

/** One model of a provider. */
export interface ModelSpec {
  /** The id as the provider spells it. */
  readonly id: string;
  /** What it is good for: `chat`, `large`, `fast`, `small`, `tools`, `vision`, `reasoning`. */
  readonly tags?: readonly string[] | undefined;
  /** Context length in tokens. */
  readonly ctx?: number | undefined;
  /** How long an answer may be, in tokens. */
  readonly maxOutput?: number | undefined;
  /** Whether calling it is free of charge. */
  readonly free?: boolean | undefined;
  /** Lower is preferred; equal priorities keep the order of the list. */
  readonly priority?: number | undefined;
}
