/** The commands and their options. A command's code is loaded only when it runs. */

import { Command, Option } from 'commander';
import type { ResetOptions, StrategyName } from '../index.ts';
import { VERSION } from '../version.ts';
import { byteCount, list, nameChain, notNegative, portNumber, wholeNumber } from './args.ts';
import type { ChatFlags } from './chat.ts';
import type { DoctorFlags } from './doctor.ts';
import type { HealthFlags } from './health.ts';
import type { LaunchFlags } from './launch.ts';
import type { ModelFlags } from './models.ts';
import type { ServeFlags } from './serve.ts';
import type { LogFormat } from './serve-log.ts';
import type { SetupFlags } from './setup.ts';
import type { Shell } from './shell.ts';

const STRATEGIES = [
  'quota_aware',
  'priority',
  'round_robin',
  'latency',
] as const satisfies readonly StrategyName[];

const KEYS = `
freelm reads keys from the environment: OPENROUTER_API_KEY, GEMINI_API_KEY, NVIDIA_API_KEY and others.
One key is enough.
Exit codes: 0 success, 1 a call failed, 2 wrong usage or configuration, 130 or 143 after a signal.`;

const LOGS = ['json', 'text', 'off'] as const satisfies readonly LogFormat[];

function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}

function command(program: Command, name: string): Command {
  return program.command(name).showHelpAfterError(`Run freelm ${name} --help for the options.`);
}

function withPoolOptions(target: Command): Command {
  return target
    .option('-m, --model <names>', 'a model, or a comma-separated list, tried in order', nameChain)
    .addOption(new Option('--strategy <name>', 'how to choose the provider').choices(STRATEGIES))
    .option('--wait', 'wait if no provider is ready, instead of failing')
    .option('--max-wait-ms <ms>', 'the longest wait (default: 20000); implies --wait', wholeNumber)
    .option('--timeout-ms <ms>', 'the longest call, waiting included (default: 60000)', wholeNumber)
    .option('--verbose', 'show every attempt on stderr');
}

function addChat(program: Command, shell: Shell): void {
  withPoolOptions(command(program, 'chat'))
    .summary('ask one question')
    .description('Asks one question and writes the answer to stdout. Piped text is appended to the prompt.')
    .argument('[prompt...]', 'the question; a final - reads standard input')
    .option('-s, --system <text>', 'a system message')
    .option('--stream', 'write the answer as it arrives')
    .option('--max-tokens <count>', 'the longest answer in tokens', wholeNumber)
    .option('--temperature <number>', 'how random the answer is; 0 is the least', notNegative)
    .option('--json', 'write the whole response as JSON; with --stream, one line per part')
    .addHelpText(
      'after',
      examples(
        'freelm chat "Why is the sky blue?"',
        'freelm chat --stream -m chat:fast "Tell me a story"',
        'git diff | freelm chat -m large,auto "Write a commit message for this"',
        'freelm chat --json --wait "Hello" | jq -r .model',
      ),
    )
    .action(async (words: readonly string[], flags: ChatFlags) => {
      const { chat } = await import('./chat.ts');
      await chat(words, flags, shell);
    });
}

function addModels(program: Command, shell: Shell): void {
  command(program, 'models')
    .summary('list the models of your keys')
    .description('Lists the models that your keys can use, the best of each provider first.')
    .argument('[filter]', 'only models whose id, provider or tags contain this text')
    .option('--refresh', 'request the lists again, even if those on disk are fresh')
    .option('--free', "list OpenRouter's free models; needs no key")
    .option('--json', 'write the list as JSON')
    .addHelpText('after', examples('freelm models', 'freelm models vision', 'freelm models --free --json'))
    .action(async (filter: string | undefined, flags: ModelFlags) => {
      const { models } = await import('./models.ts');
      await models(filter, flags, shell);
    });
}

function addHealth(program: Command, shell: Shell): void {
  command(program, 'health')
    .summary('show the state of the keys')
    .description('Shows the state of every key and what is left of its quotas. Sends no requests.')
    .option('--json', 'write the result as JSON')
    .addHelpText('after', examples('freelm health', 'freelm health --json | jq ".keys[] | select(.ready)"'))
    .action(async (flags: HealthFlags) => {
      const { health } = await import('./health.ts');
      await health(flags, shell);
    });
}

function addDoctor(program: Command, shell: Shell, end: (code: number) => void): void {
  command(program, 'doctor')
    .summary('check every key at its provider')
    .description(
      'Checks every key with the cheapest request that its provider offers, and says what to fix. Exits with 1 if a key does not work, and with 2 if a variable is invalid.',
    )
    .option(
      '--chat',
      'also request one token with every key: spends one request each, finds accounts without credit',
    )
    .option('--timeout-ms <ms>', 'the longest request (default: 10000)', wholeNumber)
    .option('--json', 'write the result as JSON')
    .addHelpText(
      'after',
      examples('freelm doctor', 'freelm doctor --chat', 'freelm doctor --json | jq .keys'),
    )
    .action(async (flags: DoctorFlags) => {
      const { doctor } = await import('./doctor.ts');
      end(await doctor(flags, shell));
    });
}

function addReset(program: Command, shell: Shell): void {
  command(program, 'reset')
    .summary('forget what freelm knows about the keys')
    .description(
      'Forgets used quotas, pauses, refused keys and what freelm learnt, for all processes that share this state. The providers still count what was used.',
    )
    .option('--provider <name>', 'only this provider')
    .option('--key <key>', 'only this key and its account; as freelm health shows it')
    .addHelpText('after', examples('freelm reset', 'freelm reset --provider openrouter'))
    .action(async (flags: ResetOptions) => {
      const { reset } = await import('./reset.ts');
      await reset(flags, shell);
    });
}

function addServe(program: Command, shell: Shell): void {
  withPoolOptions(command(program, 'serve'))
    .summary('serve an OpenAI-compatible endpoint')
    .description('Serves the pool as an OpenAI-compatible endpoint, for any program that accepts a base URL.')
    .option('--config <file>', 'the configuration file (default: freelm.config.json, if it exists)')
    .option('-p, --port <number>', 'the port to listen on (default: PORT, else 4141)', portNumber)
    .option(
      '--host <address>',
      'the address to listen on (default: 127.0.0.1); any but loopback requires a token',
    )
    .option('--token <token>', 'the API key that clients must send; better set in FREELM_TOKEN')
    .option(
      '--context <tokens>',
      'the context length that clients are told (default: the smallest of the models)',
      wholeNumber,
    )
    .option('--any-model', 'serve unknown models as auto, for programs with a model name of their own')
    .addOption(
      new Option(
        '--log <format>',
        'the request log on stderr (default: text on a terminal, else json)',
      ).choices(LOGS),
    )
    .option('--drain-ms <ms>', 'how long running responses may take at the end (default: 10000)', notNegative)
    .option('--allow-origin <origin>', 'an origin whose web pages may call the endpoint; repeatable', list)
    .option(
      '--allow-host <name>',
      'a further host name of the endpoint, e.g. of a tunnel; requires a token; repeatable',
      list,
    )
    .option('--max-body <size>', 'the longest request body (default: 32m)', byteCount)
    .option('--max-memory <size>', 'all bodies together (default: four of the longest)', byteCount)
    .option('--max-connections <count>', 'the most connections (default: 1000)', wholeNumber)
    .option(
      '--max-client-requests <count>',
      'the most concurrent requests from one address (default: 256)',
      wholeNumber,
    )
    .addHelpText(
      'after',
      examples(
        'freelm serve',
        'freelm serve --config freelm.config.json',
        'FREELM_TOKEN=$(openssl rand -hex 16) freelm serve --host 0.0.0.0',
        'OPENAI_BASE_URL=http://127.0.0.1:4141/v1 OPENAI_API_KEY=any aider --model openai/auto',
      ),
    )
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('./serve.ts');
      await serve(flags, shell);
    });
}

function addLaunch(program: Command, shell: Shell, end: (code: number) => void): void {
  withPoolOptions(command(program, 'launch'))
    .summary('start a coding agent on free models')
    .description(
      'Starts an endpoint with a token of its own, and a coding agent that uses it: claude, codex, opencode, aider, or any program that reads OPENAI_BASE_URL or ANTHROPIC_BASE_URL. Ends with the agent, and writes nothing to its files.',
    )
    .argument('<agent>', 'the agent')
    .argument('[args...]', "the agent's own arguments")
    .option('--context <tokens>', 'the context length that the agent is told', wholeNumber)
    .passThroughOptions()
    .addHelpText('after', examples('freelm launch claude', 'freelm launch codex exec "Fix the tests"'))
    .action(async (agent: string, args: string[], flags: LaunchFlags) => {
      const { launch } = await import('./launch.ts');
      await launch(agent, args, flags, shell, end);
    });
  command(program, 'setup')
    .summary('show how to start a coding agent on freelm serve')
    .description(
      "Prints the variables and the command that point a coding agent to a running freelm serve. With --write, it changes the agent's own file instead, after asking, and keeps a copy of it.",
    )
    .argument('<agent>', 'the agent')
    .option('--url <url>', 'the address of the endpoint (default: http://127.0.0.1:4141)')
    .option('--token <token>', 'its token')
    .option('--write', "write it into the agent's file: claude, codex, opencode, aider")
    .option('--yes', 'do not ask before writing')
    .addHelpText(
      'after',
      examples(
        'freelm setup claude',
        'freelm setup opencode --url http://10.0.0.5:4141',
        'freelm setup codex --write',
      ),
    )
    .action(async (agent: string, flags: SetupFlags) => {
      const { setup } = await import('./setup.ts');
      await setup(agent, flags, shell);
    });
}

function addDemo(program: Command, shell: Shell): void {
  command(program, 'demo')
    .summary('show failover on simulated providers')
    .description('Shows failover on simulated providers on this machine. Needs no key and no network.')
    .addHelpText('after', examples('freelm demo'))
    .action(async () => {
      const { demo } = await import('./demo.ts');
      await demo(shell);
    });
}

/** `end` receives the exit code of a command that completed but found a problem. */
export function makeProgram(shell: Shell, end: (code: number) => void): Command {
  const program = new Command('freelm');
  program
    .description('One LLM call that is always up, on free-tier keys.')
    .usage('<command> [options]')
    .version(VERSION, '-v, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .option('--debug', 'show the full error if something fails')
    .enablePositionalOptions()
    .showHelpAfterError('Run freelm --help for the commands.')
    .addHelpText('after', KEYS)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void shell.out.write(text),
      writeErr: (text) => void shell.err.write(text),
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'freelm: '));
      },
    });
  addChat(program, shell);
  addModels(program, shell);
  addHealth(program, shell);
  addDoctor(program, shell, end);
  addReset(program, shell);
  addServe(program, shell);
  addLaunch(program, shell, end);
  addDemo(program, shell);
  return program;
}
