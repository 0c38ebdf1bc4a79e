/**
 * `freelm/testing`: simulated providers, to test an app without keys, network access or waiting.
 *
 * The simulation follows recorded answers of the real providers. It shares no code with the library, so it is an
 * independent check.
 *
 * @example Test an app over real HTTP on this machine
 * ```ts
 * import { FreeLLM, OpenRouter, NIM } from 'freelm';
 * import { startWorld } from 'freelm/testing';
 *
 * const world = await startWorld({
 *   openrouter: { faults: [{ kind: 'congested', model: 'z-ai/*', times: 2 }] },
 *   reply: ({ lastUserText }) => `You said: ${lastUserText}`,
 * });
 * const llm = new FreeLLM({
 *   providers: [
 *     new OpenRouter(world.openrouter.keys, { baseUrl: world.openrouter.baseUrl }),
 *     new NIM(world.nim.keys, { baseUrl: world.nim.baseUrl }),
 *   ],
 *   persist: false,
 * });
 * console.log(await llm.text('Hello'));        // You said: Hello
 * world.nim.script({ kind: 'hang', times: 1 }); // the next request gets no answer
 * world.nim.script({ kind: 'cut', afterTokens: 3, times: 1 }); // the next stream breaks after three tokens
 * console.log(world.calls, world.counts);
 * await world.close();
 * ```
 *
 * @module
 */

// The library loads zod with the first call that has a schema. In virtual time, no call can wait for that.
// oxlint-disable-next-line import/no-unassigned-import -- it is imported only to be loaded
import 'zod';

export type { CallLog, CallCounts, Outcome, SimulatedCall } from './testing/calls.ts';
export type {
  ReplyDetails,
  ReplyFunction,
  ReplyRequest,
  ToolCallReply,
} from './testing/answers/completion.ts';
export type {
  JsonObject,
  SimulatedAnswer,
  SimulatedRequest,
  SimulatedStream,
  StreamBody,
  StreamPiece,
} from './testing/exchange.ts';
export type { Oddity } from './testing/answers/oddity.ts';
export type { Fault, FaultEffect, FaultKind, FaultMatch, InStream, LineEnd } from './testing/faults/fault.ts';
export { inProcessFetch } from './testing/transport/in-process-fetch.ts';
export type { FetchLike } from './testing/transport/in-process-fetch.ts';
export type {
  Capability,
  Continuation,
  KeyOptions,
  Latency,
  Limits,
  ModelOptions,
  ProviderName,
  ProviderOptions,
  QuotaStyle,
  Requirement,
  RequirementName,
  WorldOptions,
} from './testing/options.ts';
export { ProviderSimulator } from './testing/provider-simulator.ts';
export {
  stateStoreChecks,
  type OpenStateStore,
  type StateStoreCheck,
  type StateStoreChecksOptions,
} from './testing/state-store-checks.ts';
export { SimulatedWorld } from './testing/simulated-world.ts';
export { startWorld } from './testing/start-world.ts';
export type { ServedWorldOptions, World } from './testing/start-world.ts';
export { VirtualClock } from './testing/virtual-clock.ts';
export type { TimerClock } from './testing/virtual-clock.ts';
