/** The files of spec/providers, in the order in which they are tried on equal terms. Generated from spec/providers/*.json by `npm run generate`. */

import cerebras from '../../spec/providers/cerebras.json' with { type: 'json' };
import cloudflare from '../../spec/providers/cloudflare.json' with { type: 'json' };
import cohere from '../../spec/providers/cohere.json' with { type: 'json' };
import google from '../../spec/providers/google.json' with { type: 'json' };
import groq from '../../spec/providers/groq.json' with { type: 'json' };
import kilo from '../../spec/providers/kilo.json' with { type: 'json' };
import llamacpp from '../../spec/providers/llamacpp.json' with { type: 'json' };
import lmstudio from '../../spec/providers/lmstudio.json' with { type: 'json' };
import mistral from '../../spec/providers/mistral.json' with { type: 'json' };
import nim from '../../spec/providers/nim.json' with { type: 'json' };
import ollama from '../../spec/providers/ollama.json' with { type: 'json' };
import ollamaCloud from '../../spec/providers/ollama-cloud.json' with { type: 'json' };
import openrouter from '../../spec/providers/openrouter.json' with { type: 'json' };
import ovhcloud from '../../spec/providers/ovhcloud.json' with { type: 'json' };
import requesty from '../../spec/providers/requesty.json' with { type: 'json' };
import sambanova from '../../spec/providers/sambanova.json' with { type: 'json' };
import vllm from '../../spec/providers/vllm.json' with { type: 'json' };
import zai from '../../spec/providers/zai.json' with { type: 'json' };

type KnownProvider =
  | 'openrouter'
  | 'google'
  | 'nim'
  | 'groq'
  | 'mistral'
  | 'zai'
  | 'cloudflare'
  | 'ollama-cloud'
  | 'kilo'
  | 'ovhcloud'
  | 'cohere'
  | 'requesty'
  | 'sambanova'
  | 'cerebras'
  | 'ollama'
  | 'lmstudio'
  | 'llamacpp'
  | 'vllm';

export const FILES: Readonly<Record<KnownProvider, { readonly name: string; readonly request?: object }>> = {
  openrouter,
  google,
  nim,
  groq,
  mistral,
  zai,
  cloudflare,
  'ollama-cloud': ollamaCloud,
  kilo,
  ovhcloud,
  cohere,
  requesty,
  sambanova,
  cerebras,
  ollama,
  lmstudio,
  llamacpp,
  vllm,
};
