/** The providers that a world has. `custom` speaks plain OpenAI, for endpoints of one's own. */
export type ProviderName = 'openrouter' | 'google' | 'nim' | 'custom';

/** Requests a minute, requests a day, tokens a minute. A limit left out is the provider's default. */
export interface Limits {
  readonly rpm?: number | undefined;
  readonly rpd?: number | undefined;
  readonly tpm?: number | undefined;
}

/**
 * What a model may be unable to do: `tools`, `vision` (images), `system` (system messages), `prefill` (a last message
 * from the assistant), `parallel-tools` (several tool calls in one turn of the history).
 */
export type Capability = 'tools' | 'vision' | 'system' | 'prefill' | 'parallel-tools';
