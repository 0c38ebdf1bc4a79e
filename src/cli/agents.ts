/** The arguments and variables that point each coding agent to the endpoint. */

/** The endpoint as an agent finds it. */
export interface AgentPlace {
  /** Without a path. */
  readonly url: string;
  readonly token: string;
  /** The context length in tokens that the agent is told, if it is known. */
  readonly contextTokens: number | undefined;
}

export interface Agent {
  readonly title: string;
  /** The program to start. */
  readonly command: string;
  /** The model that the agent is told to ask for, if any. */
  readonly model: string;
  readonly env: (place: AgentPlace) => Readonly<Record<string, string>>;
  /** Arguments that come before the user's own. */
  readonly args: (place: AgentPlace) => readonly string[];
}

/** The model that agents ask for, unless they have names of their own. */
export const AGENT_MODEL = 'large:tools';
const NO_ARGS = (): readonly string[] => [];

function claudeEnv({ url, token, contextTokens }: AgentPlace): Record<string, string> {
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: token,
    // The agent would ask about the user's own key, and send it here.
    ANTHROPIC_API_KEY: '',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ...(contextTokens === undefined ? {} : { CLAUDE_CODE_AUTO_COMPACT_WINDOW: String(contextTokens) }),
  };
}

/** Codex takes values of its configuration as TOML; texts in JSON are valid TOML. */
function codexArgs({ url, contextTokens }: AgentPlace): readonly string[] {
  const settings: readonly (readonly [name: string, value: string | number])[] = [
    ['model', AGENT_MODEL],
    ['model_provider', 'freelm'],
    ['model_providers.freelm.name', 'freelm'],
    ['model_providers.freelm.base_url', `${url}/v1`],
    ['model_providers.freelm.env_key', 'FREELM_LAUNCH_TOKEN'],
    ['model_providers.freelm.wire_api', 'responses'],
    ...(contextTokens === undefined ? [] : [['model_context_window', contextTokens] as const]),
  ];
  return settings.flatMap(([name, value]) => ['-c', `${name}=${JSON.stringify(value)}`]);
}

/** The longest answer that OpenCode asks for. */
const OPENCODE_OUTPUT = 8192;

interface OpencodeSettings {
  readonly model: string;
  readonly small_model: string;
  readonly provider: { readonly freelm: unknown };
}

export function opencodeSettings({ url, token, contextTokens = 131_072 }: AgentPlace): OpencodeSettings {
  const models = Object.fromEntries(
    [AGENT_MODEL, 'fast:tools'].map((id) => [
      id,
      { name: id, limit: { context: contextTokens, output: OPENCODE_OUTPUT } },
    ]),
  );
  return {
    model: `freelm/${AGENT_MODEL}`,
    small_model: 'freelm/fast:tools',
    provider: {
      freelm: {
        npm: '@ai-sdk/openai-compatible',
        name: 'freelm',
        options: { baseURL: `${url}/v1`, apiKey: token },
        models,
      },
    },
  };
}

function opencodeConfig(place: AgentPlace): string {
  const schema = { $schema: 'https://opencode.ai/config.json', autoupdate: false, share: 'disabled' };
  return JSON.stringify({ ...schema, ...opencodeSettings(place) });
}

/** The variables that programs of both protocols read. */
function usualEnv({ url, token }: AgentPlace): Record<string, string> {
  return {
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_BASE: `${url}/v1`,
    OPENAI_API_KEY: token,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: token,
  };
}

/** The agents by their names on the command line. */
const AGENTS: ReadonlyMap<string, Agent> = new Map<string, Agent>([
  [
    'claude',
    { title: 'Claude Code', command: 'claude', model: 'claude-opus-5-5', env: claudeEnv, args: NO_ARGS },
  ],
  [
    'codex',
    {
      title: 'Codex',
      command: 'codex',
      model: AGENT_MODEL,
      env: ({ token }) => ({ FREELM_LAUNCH_TOKEN: token }),
      args: codexArgs,
    },
  ],
  [
    'opencode',
    {
      title: 'OpenCode',
      command: 'opencode',
      model: AGENT_MODEL,
      env: (place) => ({ OPENCODE_CONFIG_CONTENT: opencodeConfig(place) }),
      args: NO_ARGS,
    },
  ],
  [
    'aider',
    {
      title: 'aider',
      command: 'aider',
      model: AGENT_MODEL,
      env: usualEnv,
      args: () => ['--model', `openai/${AGENT_MODEL}`, '--no-show-model-warnings'],
    },
  ],
]);

/** The agent for a name: a known agent, or any program that reads the usual variables. */
export function agentOf(name: string): Agent {
  return AGENTS.get(name) ?? { title: name, command: name, model: AGENT_MODEL, env: usualEnv, args: NO_ARGS };
}
