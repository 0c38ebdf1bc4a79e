/** What can be said on the command line. What a command does is loaded when it is called. */

import { Command, Option } from 'commander';
import type { StrategyName } from '../index.ts';
import { VERSION } from '../version.ts';
import { list, nameChain, notNegative, portNumber, wholeNumber } from './args.ts';
import type { ChatFlags } from './chat.ts';
import type { DoctorFlags } from './doctor.ts';
import type { HealthFlags } from './health.ts';
import type { ModelFlags } from './models.ts';
import type { ServeFlags } from './serve.ts';
import type { Shell } from './shell.ts';

const STRATEGIES = [
  'quota_aware',
  'priority',
  'round_robin',
  'latency',
] as const satisfies readonly StrategyName[];

const KEYS = `
Keys come from the environment: OPENROUTER_API_KEY, GEMINI_API_KEY, NVIDIA_API_KEY and others; one is enough.
Exit codes: 0 done, 1 a call failed, 2 wrong usage or configuration, 130 and 143 after a signal.`;

function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}

function command(program: Command, name: string): Command {
  return program.command(name).showHelpAfterError(`Run freelm ${name} --help for what there is.`);
}

/** The options of a pool: which models, in which order, how long. */
function withPoolOptions(target: Command): Command {
  return target
    .option('-m, --model <names>', 'a model, or several between commas, tried in this order', nameChain)
    .addOption(new Option('--strategy <name>', 'which provider comes first').choices(STRATEGIES))
    .option('--wait', 'line up when nothing is ready, instead of failing')
    .option('--max-wait-ms <ms>', 'for how long at most (20000); implies --wait', wholeNumber)
    .option('--timeout-ms <ms>', 'bounds a call, waiting included (60000)', wholeNumber)
    .option('--verbose', 'show every attempt on stderr');
}

function addChat(program: Command, shell: Shell): void {
  withPoolOptions(command(program, 'chat'))
    .summary('ask one question')
    .description('Asks one question and writes the answer to stdout. What is piped in follows the prompt.')
    .argument('[prompt...]', 'what to ask; a last - reads standard input')
    .option('-s, --system <text>', 'a system message')
    .option('--stream', 'write the answer as it comes')
    .option('--max-tokens <count>', 'the longest answer, in tokens', wholeNumber)
    .option('--temperature <number>', 'how freely it is worded', notNegative)
    .option('--json', 'write the whole response as JSON; with --stream its parts, a line each')
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
    .description("Lists the models of your keys' providers, best first by provider.")
    .argument('[filter]', 'only those whose id, provider or tags contain this')
    .option('--refresh', 'ask the providers, however fresh the lists on disk are')
    .option('--free', "OpenRouter's free models; needs no key")
    .option('--json', 'write them as JSON')
    .addHelpText('after', examples('freelm models', 'freelm models vision', 'freelm models --free --json'))
    .action(async (filter: string | undefined, flags: ModelFlags) => {
      const { models } = await import('./models.ts');
      await models(filter, flags, shell);
    });
}

function addHealth(program: Command, shell: Shell): void {
  command(program, 'health')
    .summary('show how the keys stand')
    .description('Shows how every key stands and what is left of its quotas. Sends nothing.')
    .option('--json', 'write it as JSON')
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
      'Checks every key at its provider by the cheapest request that tells, and says what to fix. Ends with 1 when a key does not work, with 2 when a variable is wrong.',
    )
    .option(
      '--chat',
      'also ask for one token with every key: costs a request each, finds accounts without credit',
    )
    .option('--timeout-ms <ms>', 'bounds each request (10000)', wholeNumber)
    .option('--json', 'write it as JSON')
    .addHelpText(
      'after',
      examples('freelm doctor', 'freelm doctor --chat', 'freelm doctor --json | jq .keys'),
    )
    .action(async (flags: DoctorFlags) => {
      const { doctor } = await import('./doctor.ts');
      end(await doctor(flags, shell));
    });
}

function addServe(program: Command, shell: Shell): void {
  withPoolOptions(command(program, 'serve'))
    .summary('serve an OpenAI-compatible endpoint')
    .description('Serves the pool as an OpenAI-compatible endpoint, for every program that takes a base URL.')
    .option('-p, --port <number>', 'where it listens', portNumber, 4141)
    .option('--host <address>', 'on which address; off this machine it needs a token', '127.0.0.1')
    .option('--token <token>', 'what clients must send as their API key; better kept in FREELM_TOKEN')
    .option('--any-model', 'serve models that nobody has as auto, for programs that ask for gpt-4o by habit')
    .option('--allow-origin <origin>', 'an origin whose web pages may call it; repeatable', list)
    .option(
      '--allow-host <name>',
      'a name by which it may be called, e.g. of a tunnel; needs a token; repeatable',
      list,
    )
    .addHelpText(
      'after',
      examples(
        'freelm serve',
        'FREELM_TOKEN=$(openssl rand -hex 16) freelm serve --host 0.0.0.0',
        'OPENAI_BASE_URL=http://127.0.0.1:4141/v1 OPENAI_API_KEY=any aider --model openai/auto',
      ),
    )
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('./serve.ts');
      await serve(flags, shell);
    });
}

function addDemo(program: Command, shell: Shell): void {
  command(program, 'demo')
    .summary('show the failover on simulated providers')
    .description('Shows the failover on simulated providers on this machine. Needs no key and no network.')
    .addHelpText('after', examples('freelm demo'))
    .action(async () => {
      const { demo } = await import('./demo.ts');
      await demo(shell);
    });
}

/** The parser; `end` is told the code of a command that did its work and found something wrong. */
export function makeProgram(shell: Shell, end: (code: number) => void): Command {
  const program = new Command('freelm');
  program
    .description('One LLM call that is always up, over free-tier keys.')
    .usage('<command> [options]')
    .version(VERSION, '-v, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .option('--debug', 'show the whole error when something fails')
    .showHelpAfterError('Run freelm --help for what there is.')
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
  addServe(program, shell);
  addDemo(program, shell);
  return program;
}
