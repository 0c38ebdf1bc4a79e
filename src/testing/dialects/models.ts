/** The default models of a world: models that were live in November 2026, and listed ones that cannot be called. */

import type { ModelOptions } from '../options.ts';

const NVIDIA_LARGE = 262_144;
const MILLION = 1_000_000;
const GEMINI = 1_048_576;

/**
 * OpenRouter: free chat models (observed 2026-11), two for agents only, the free router, a free model that cannot chat,
 * and two that cost money, one of which is listed with a price of zero.
 */
export const openrouterModels: readonly ModelOptions[] = [
  { id: 'nvidia/nemotron-3-ultra-550b-a55b:free', context: MILLION, reasons: true },
  { id: 'nvidia/nemotron-3.5-lightning:free', context: MILLION, reasons: true },
  { id: 'nvidia/nemotron-3-nano-omni-30b-a3b-reasoning:free', context: 256_000, lacks: [], reasons: true },
  { id: 'google/gemma-4-31b-it:free', context: NVIDIA_LARGE, lacks: ['system'] },
  { id: 'google/gemma-4-26b-a4b-it:free', context: NVIDIA_LARGE, lacks: [] },
  { id: 'cohere/north-mini-code:free', context: 256_000 },
  { id: 'z-ai/glm-5.2:free', context: 256_000, reasons: true },
  { id: 'liquid/lfm-2.5-2.6b:free', context: 128_000 },
  { id: 'recursive/flint-v1.0:free' },
  { id: 'thinkingmachines/inkling-2-small:free' },
  { id: 'openrouter/free', context: 200_000 },
  { id: 'thinkingmachines/inkling:free', closed: true },
  { id: 'thinkingmachines/inkling-small:free', closed: true },
  { id: 'nvidia/nemotron-3-embed-1b:free', context: 32_768, output: 'embeddings', dimensions: 2048 },
  { id: 'openai/gpt-oss-20b', context: 131_072, reasons: true },
  { id: 'google/lyria-3-pro-preview', output: 'audio' },
];

/**
 * Google AI Studio: models with a free tier (observed 2026-10-22), aliases, one without a free tier, one closed to new
 * projects, and one for embeddings.
 */
export const googleModels: readonly ModelOptions[] = [
  { id: 'gemini-3.8-flash', context: GEMINI, lacks: ['prefill'], reasons: true },
  { id: 'gemini-3.7-flash', context: GEMINI, lacks: ['prefill'], reasons: true },
  { id: 'gemini-3.6-flash', context: GEMINI, lacks: ['prefill'], reasons: true },
  { id: 'gemini-3.5-flash', context: GEMINI, lacks: [], reasons: true },
  { id: 'gemini-3-flash-preview', context: GEMINI, lacks: [], reasons: true },
  { id: 'gemini-3.5-flash-lite', context: GEMINI, lacks: [] },
  { id: 'gemini-3.1-flash-lite', context: GEMINI, lacks: [] },
  {
    id: 'gemini-flash-latest',
    context: GEMINI,
    lacks: ['prefill'],
    reasons: true,
    aliasOf: 'gemini-3.8-flash',
  },
  { id: 'gemini-flash-lite-latest', context: GEMINI, lacks: [], aliasOf: 'gemini-3.5-flash-lite' },
  { id: 'gemma-4-31b-it', context: 262_144, lacks: [] },
  { id: 'gemma-4-26b-a4b-it', context: 262_144, lacks: [] },
  { id: 'gemini-3-pro-preview', context: GEMINI, lacks: [], closed: true },
  { id: 'gemini-3.1-pro-preview', context: GEMINI, lacks: [], reasons: true },
  { id: 'gemini-embedding-001', context: 2_048, output: 'embeddings', dimensions: 3072, shortens: true },
];

/**
 * NVIDIA NIM: models that answered in September 2026. One of them is listed twice, as in the real list. Two are listed but
 * not provisioned for any account.
 */
export const nimModels: readonly ModelOptions[] = [
  { id: 'deepseek-ai/deepseek-v4.1-flash', reasons: true },
  { id: 'google/gemma-4-31b-it', lacks: ['vision', 'system'] },
  { id: 'meta/llama-3.2-11b-vision-instruct', lacks: ['parallel-tools'] },
  { id: 'meta/llama-3.2-90b-vision-instruct', lacks: ['parallel-tools'] },
  { id: 'mistralai/mistral-nemotron', refuses: ['chat_template_kwargs'] },
  { id: 'moonshotai/kimi-k3', context: 262_144, reasons: true },
  { id: 'nvidia/nemotron-3-nano-omni-30b-a3b-reasoning', lacks: [], reasons: true },
  { id: 'nvidia/nemotron-3-ultra-550b-a55b', context: MILLION, reasons: true },
  { id: 'nvidia/nemotron-3.5-lightning-30b-a3b', context: MILLION, reasons: true },
  { id: 'openai/gpt-oss-20b', reasons: true },
  { id: 'openai/gpt-oss-20b', reasons: true },
  { id: 'poolside/laguna-xs-2.1' },
  { id: 'z-ai/glm-5.3', refuses: ['reasoning_budget'], reasons: true },
  { id: 'z-ai/glm-5.3-flash', reasons: true },
  { id: '01-ai/yi-large', closed: true },
  { id: 'mistralai/mixtral-8x22b-v0.1', closed: true },
  {
    id: 'nvidia/llama-nemotron-embed-1b-v2',
    context: 8_192,
    output: 'embeddings',
    dimensions: 2048,
    shortens: true,
    asymmetric: true,
  },
  { id: 'nvidia/nv-embedqa-e5-v5', context: 512, output: 'embeddings', dimensions: 1024, asymmetric: true },
  { id: 'nvidia/nv-embed-v1', context: 32_768, output: 'embeddings', asymmetric: true },
];

export const customModels: readonly ModelOptions[] = [
  { id: 'custom-large' },
  { id: 'custom-small', context: 8_192 },
];
