import { describe, expectTypeOf, it } from 'vitest';
import {
  type AttemptEndEvent,
  type AttemptStartEvent,
  type CallStartEvent,
  type AttemptReport,
  BadRequestError,
  type CallError,
  type ChatOptions,
  type ConfigError,
  type ContentBlockedError,
  DeadlineError,
  type EventListener,
  type FreeLLM,
  type FreeLLMOptions,
  FreeLLMError,
  type FreeLLMErrorCode,
  type FreeLLMEvent,
  type HealthRow,
  type KeyReport,
  listFreeModels,
  type ListedModel,
  NoProvidersAvailableError,
  VERSION,
  type TokenUsage,
} from '../src/index.ts';

declare const error: unknown;
declare const event: FreeLLMEvent;

describe('an error', () => {
  it('has a closed list of codes', () => {
    expectTypeOf<FreeLLMErrorCode>().toEqualTypeOf<
      | 'config'
      | 'bad_request'
      | 'context_too_long'
      | 'unsupported'
      | 'content_blocked'
      | 'no_providers_available'
      | 'deadline'
      | 'invalid_output'
      | 'closed'
      | 'broken_stream'
    >();
  });

  it('is narrowed by is(), and by its class', () => {
    if (FreeLLMError.is(error)) expectTypeOf(error.code).toEqualTypeOf<FreeLLMErrorCode>();
    // @ts-expect-error -- not yet known to be one
    else void error.code;
    if (error instanceof NoProvidersAvailableError) {
      expectTypeOf(error.readyAt).toEqualTypeOf<number | undefined>();
      expectTypeOf(error.keys).toEqualTypeOf<readonly KeyReport[]>();
      expectTypeOf(error.attempts).toEqualTypeOf<readonly AttemptReport[]>();
    }
    if (error instanceof BadRequestError) expectTypeOf(error.status).toEqualTypeOf<number | undefined>();
    if (error instanceof DeadlineError) expectTypeOf(error.timeoutMs).toEqualTypeOf<number>();
    expectTypeOf<
      BadRequestError | ContentBlockedError | NoProvidersAvailableError | DeadlineError
    >().toExtend<CallError>();
    expectTypeOf<CallError | ConfigError>().toExtend<FreeLLMError>();
  });
});

describe('an event', () => {
  it('is told apart by its type', () => {
    expectTypeOf<FreeLLMEvent['type']>().toEqualTypeOf<
      'call-start' | 'attempt-start' | 'attempt-end' | 'wait' | 'call-end' | 'discovery' | 'warning'
    >();
    if (event.type === 'call-start') expectTypeOf(event).toEqualTypeOf<CallStartEvent>();
    if (event.type === 'attempt-start') expectTypeOf(event).toEqualTypeOf<AttemptStartEvent>();
    if (event.type === 'attempt-end') expectTypeOf(event).toEqualTypeOf<AttemptEndEvent>();
    if (event.type === 'attempt-end' || event.type === 'call-end')
      expectTypeOf(event.usage).toEqualTypeOf<TokenUsage | undefined>();
    if (event.type === 'wait') expectTypeOf(event.until).toEqualTypeOf<number>();
    if (event.type === 'call-end')
      expectTypeOf(event.outcome).toEqualTypeOf<'success' | 'failure' | 'aborted'>();
    if (event.type === 'discovery') expectTypeOf(event.outcome).toEqualTypeOf<'live' | 'disk' | 'failed'>();
    if (event.type === 'warning') expectTypeOf(event.message).toEqualTypeOf<string>();
    // @ts-expect-error -- only some events have a provider
    void event.provider;
    expectTypeOf<FreeLLMOptions['onEvent']>().toEqualTypeOf<EventListener | undefined>();
  });
});

describe('looking at the pool', () => {
  it('gives rows that tell no key', () => {
    expectTypeOf<FreeLLM['health']>().returns.toEqualTypeOf<readonly HealthRow[]>();
    expectTypeOf<HealthRow>().not.toHaveProperty('keyId');
    expectTypeOf<HealthRow['readyAt']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<HealthRow['breaker']>().toEqualTypeOf<'closed' | 'open' | 'half-open'>();
    expectTypeOf<FreeLLM['capacity']>().returns.toHaveProperty('nextAt').toEqualTypeOf<number | undefined>();
    expectTypeOf<FreeLLM['explain']>().parameter(0).toExtend<{ model?: ChatOptions['model'] } | undefined>();
    expectTypeOf<FreeLLM['explain']>().returns.items.not.toHaveProperty('keyId');
    expectTypeOf<FreeLLM['models']>().returns.toEqualTypeOf<readonly ListedModel[]>();
    expectTypeOf<FreeLLM['refreshModels']>().returns.resolves.toEqualTypeOf<readonly ListedModel[]>();
    expectTypeOf(listFreeModels).returns.resolves.toEqualTypeOf<readonly ListedModel[]>();
    expectTypeOf(VERSION).toEqualTypeOf<string>();
  });
});

it('a pool is closed with its scope', () => {
  expectTypeOf<FreeLLM>().toExtend<AsyncDisposable>();
  expectTypeOf<FreeLLM['close']>().returns.resolves.toEqualTypeOf<void>();
  expectTypeOf<FreeLLM[typeof Symbol.asyncDispose]>().returns.resolves.toEqualTypeOf<void>();
});
