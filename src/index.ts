/** The public API of `freelm`. */

export { FreeLLM, type FromEnvOptions, type ListedModel } from './client/free-llm.ts';
export { listFreeModels, type ListFreeModelsOptions } from './client/list-free-models.ts';
export { ChatStream, type StreamRoute } from './client/chat-stream.ts';
export { errorFromResponse } from './rest/error-response.ts';
export type { Fetch } from './rest/fetch.ts';
export type {
  CallLimits,
  ChatOptions,
  FreeLLMOptions,
  ModelFields,
  StreamOptions,
} from './client/options.ts';
export type { ChatInput } from './client/messages.ts';
export type { ImagePart } from './client/images.ts';
export type { EmbedOptions, EmbedResponse } from './client/embed.ts';
export type { ResetOptions } from './client/reset.ts';
export type { CheckKeysOptions, KeyCheck } from './client/check-keys/check-keys.ts';
export type { KeyQuota } from './client/check-keys/quotas.ts';
export type { AnsweredCall, ChatResponse } from './client/response.ts';
export type { Capacity, ExplainRow, HealthRow } from './client/introspection.ts';
export { type Configuration, readConfig } from './client/config/read-config.ts';
export type { Environment } from './client/env/from-env.ts';
export { type EnvironmentReport, inspectEnv, type ProviderReport } from './client/env/inspect-env.ts';
export type {
  AttemptEndEvent,
  AttemptStartEvent,
  CallEndEvent,
  CallStartEvent,
  DiscoveryEvent,
  EventListener,
  FreeLLMEvent,
  WaitEvent,
  WarningEvent,
} from './client/events.ts';
export type { Ports } from './client/pool.ts';
export * from './errors.ts';
export type {
  Clock,
  Headers,
  HttpRequest,
  HttpResponse,
  ImageSource,
  ModelCache,
  StateStore,
  Transport,
  Versioned,
} from './ports.ts';
export { Provider, type ProviderKey } from './providers/provider.ts';
export type { ProviderOptions } from './providers/provider-options.ts';
export type { KeyedOptions, KeylessOptions } from './providers/known-provider.ts';
export * from './providers/presets.ts';
export type { Privacy } from './providers/privacy.ts';
export type { PrivacyFact } from './providers/spec.ts';
export { OpenAICompatible, type OpenAICompatibleOptions } from './providers/openai-compatible.ts';
export type { KeyInput, KeysInput } from './providers/key.ts';
export type { EmbeddingFacts, InputType } from './core/embedding.ts';
export type { FreeReason, ModelKind, ModelSpec } from './core/model.ts';
export type { LimitStatus, QuotaStatus } from './core/report/health.ts';
export type { RouteReason } from './core/routing/admission.ts';
export type { FailureKind } from './core/failure.ts';
export type { ProviderScore, Strategy, StrategyName } from './core/routing/question.ts';
export type { ChatMessage, ContentPart } from './wire/request/chat-request.ts';
export {
  type RunOptions,
  type RunPart,
  type RunResult,
  RunStream,
  type RunTurn,
  type ToolResult,
} from './client/structured/run.ts';
export {
  tool,
  type Tool,
  type ToolContext,
  type ToolOptions,
  type ToolOutcome,
} from './client/structured/tool.ts';
export type { ObjectOptions, ObjectResult } from './client/structured/object.ts';
export { ObjectStream } from './client/structured/object-stream.ts';
export type { Growing, Schema, StandardSchema } from './client/structured/schema.ts';
export type { ToolCall } from './wire/response/chat-response.ts';
export type { TokenUsage } from './wire/response/token-usage.ts';
export type { StreamPart } from './wire/response/stream-part.ts';
export { VERSION } from './version.ts';
