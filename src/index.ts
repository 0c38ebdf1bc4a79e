/** One LLM call that is always up, over free-tier keys. */

export { FreeLLM, type ListedModel } from './client/free-llm.ts';
export { listFreeModels, type ListFreeModelsOptions } from './client/list-free-models.ts';
export { ChatStream } from './client/chat-stream.ts';
export type {
  CallLimits,
  ChatInput,
  ChatOptions,
  FreeLLMOptions,
  ModelFields,
  StreamOptions,
} from './client/options.ts';
export type { ChatResponse } from './client/response.ts';
export type { Capacity, ExplainRow, HealthRow } from './client/introspection.ts';
export type { Environment } from './client/from-env.ts';
export type {
  AttemptEvent,
  DiscoveryEvent,
  EventListener,
  FreeLMEvent,
  OutcomeEvent,
  WaitEvent,
  WarningEvent,
} from './client/events.ts';
export type { Ports } from './client/compose.ts';
export * from './errors.ts';
export type {
  Clock,
  Headers,
  HttpRequest,
  HttpResponse,
  ModelCache,
  StateStore,
  Transport,
  Versioned,
} from './ports.ts';
export { Provider, type ProviderKey, type ProviderOptions } from './providers/provider.ts';
export { OpenRouter, type OpenRouterOptions } from './providers/openrouter.ts';
export { GoogleAIStudio, type GoogleAIStudioOptions } from './providers/google.ts';
export { NIM, type NIMOptions } from './providers/nim.ts';
export { OpenAICompatible, type OpenAICompatibleOptions } from './providers/openai-compatible.ts';
export type { KeyInput, KeysInput } from './providers/key.ts';
export type { ModelSpec } from './core/model-spec.ts';
export type { QuotaStatus } from './core/health.ts';
export type { FailureKind } from './core/failure.ts';
export type { Standing, Strategy, StrategyName } from './core/strategy.ts';
export type { ChatMessage, ContentPart } from './wire/chat-request.ts';
export type { TokenUsage, ToolCall } from './wire/chat-response.ts';
export type { StreamPart } from './wire/stream-part.ts';
export { VERSION } from './version.ts';
