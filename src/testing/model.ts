/** The providers of a world. `custom` is a plain OpenAI-compatible endpoint. */
export type ProviderName = 'openrouter' | 'google' | 'nim' | 'custom';

/**
 * Requests per minute, requests per day, tokens per minute; of a `custom` endpoint also requests per second. Default: the
 * provider's own limits.
 */
export interface Limits {
  readonly rps?: number | undefined;
  readonly rpm?: number | undefined;
  readonly rpd?: number | undefined;
  readonly tpm?: number | undefined;
}

/**
 * A capability that a model may lack: `tools`, `vision` (images), `system` (system messages), `prefill` (a last message
 * from the assistant), `parallel-tools` (several tool calls in one message of the history).
 */
export type Capability = 'tools' | 'vision' | 'system' | 'prefill' | 'parallel-tools';
