import { resolve } from 'node:path/posix';
import { chooseEngine } from '../../builder/sandbox/choose.ts';
import { type Bounds, Confines } from '../../builder/sandbox/confines.ts';
import type { Engine, ProcessControl, SandboxIo, SandboxPlan } from '../../builder/sandbox/plan.ts';
import { checkMachine, holdCopy, planProcess, type WantedProcess } from '../../builder/steps/process-plan.ts';
import { RootForms } from '../../builder/steps/root-form.ts';
import { volumeMounts } from '../../builder/steps/volume-mount.ts';
import { DEFAULT_PATH, envRecord } from '../containerfile/predefined.ts';
import { usageError } from '../core/errors.ts';
import type { ProcessOptions, Volume } from '../core/options.ts';
import type { ContainerConfig } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import { imageToUse } from './image-to-use.ts';
import type { Surroundings } from './surroundings.ts';
import { keepTerminal, terminalSize } from './terminal.ts';
import { openParts } from './wiring.ts';

export interface RunCommand extends ProcessOptions {
  readonly name: string;
  /** Instead of the image's Cmd, where there are any. */
  readonly args: readonly string[];
  /** It is given our terminal. */
  readonly terminal: boolean;
  /** It reads our stdin. */
  readonly interactive: boolean;
  /** Over the image's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly volumes: readonly Volume[];
  readonly workdir?: string;
  /** One program; an empty one takes the image's entrypoint away. */
  readonly entrypoint?: string;
  readonly user?: string;
  readonly runtime?: string;
}

/** How long a process that was told to end may take, as docker has it. */
const GRACE_MS = 10_000;

/** What a shell says of a process whose reader went away. */
const READER_GONE = 141;

/**
 * Runs one process in an image, in the sandbox that RUN has, as our child; gives its exit code. What it writes to the
 * image's files is dropped. An image that is not in the store is pulled.
 */
export async function runImage(options: RunCommand, here: Surroundings): Promise<number> {
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  await using scratch = await parts.store.scratch();
  const { engine, warning } = await chooseEngine(here.place, options.runtime);
  if (warning !== undefined) here.say(`warning: ${warning}\n`);
  const { network, rights, terminal } = options;
  engine.check?.({ network, insecure: false, terminal, ...(rights && { rights }) });
  const image = await imageToUse({ name: options.name }, parts, here);
  const wanted = wantedOf(parseConfig(image.config).config ?? {}, options, here);
  const around = { store: parts.store, scratch: scratch.path, signal: here.signal };
  await checkMachine(image.platform, image.layers, around);
  await using confines = new Confines(options, (text) => here.say(`warning: ${text}\n`));
  const forms = new RootForms(parts.store.root, (text) => here.say(`${text}\n`));
  return await forms.use(engine, async (form) => {
    await using scratch = await parts.store.scratch();
    const within = { ...around, scratch: scratch.path };
    await using copy = await holdCopy(form, image.layers, within);
    await using confined = await confines.confine(network, scratch.path);
    const mounts = volumeMounts(options.volumes, scratch.path, form);
    const plan = await planProcess(
      image.layers,
      { ...wanted, ...confined.bounds, mounts },
      { ...within, copy },
    );
    return await runPlan(plan, { engine, scratch: scratch.path }, { options, here });
  });
}

async function runPlan(
  plan: SandboxPlan,
  { engine, scratch }: { readonly engine: Engine; readonly scratch: string },
  { options, here }: { readonly options: RunCommand; readonly here: Surroundings },
): Promise<number> {
  using _terminal = options.terminal ? keepTerminal() : undefined;
  using running = new RunningProcess(options, here);
  try {
    return (await engine.run(plan, running.io, scratch, running.stopped)).code;
  } catch (error) {
    if (error === readerGone) return READER_GONE;
    throw error;
  }
}

type Unbounded = Omit<WantedProcess, keyof Bounds>;

function wantedOf(config: ContainerConfig, options: RunCommand, here: Surroundings): Unbounded {
  const { terminal, user } = options;
  return {
    process: {
      args: argsOf(config, options),
      env: envOf(config, options, here),
      cwd: resolve(config.WorkingDir || '/', options.workdir ?? ''),
      user: user ?? config.User ?? '',
      terminal: terminal && terminalSize(),
    },
    mounts: [],
    hostname: 'tsbuild',
    insecure: false,
  };
}

/** As docker has it: another entrypoint comes without the image's Cmd. */
function argsOf(config: ContainerConfig, { name, args, entrypoint }: RunCommand): readonly string[] {
  const other = entrypoint === '' ? [] : [entrypoint ?? []].flat();
  const first = entrypoint === undefined ? (config.Entrypoint ?? []) : other;
  const rest = args.length > 0 || entrypoint !== undefined ? args : (config.Cmd ?? []);
  if (first.length + rest.length > 0) return [...first, ...rest];
  throw usageError(`the image ${name} names no command`, `Write tsbuild run ${name} COMMAND.`);
}

function envOf(config: ContainerConfig, { env, terminal }: RunCommand, here: Surroundings) {
  const { TERM = 'xterm' } = here.env;
  const own = { PATH: DEFAULT_PATH, ...(terminal && { TERM }), ...envRecord(config.Env ?? []), ...env };
  return new Map(Object.entries(own));
}

/** The reason for which a process is ended whose output nobody reads any more. */
const readerGone = new Error('the reader of the output went away');

/** What a running process says, and how it hears of signals: as if it stood in our place. */
class RunningProcess implements Disposable {
  readonly io: SandboxIo;
  readonly #here: Surroundings;
  readonly #stop = new AbortController();
  #control: ProcessControl | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor({ terminal, interactive }: RunCommand, here: Surroundings) {
    this.#here = here;
    this.io = {
      stdin: terminal ? 'terminal' : interactive ? 'ours' : 'empty',
      stdout: (chunk) => this.#pass(1, chunk),
      stderr: (chunk) => this.#pass(2, chunk),
      started: (control) => {
        this.#control = control;
      },
    };
    here.signal.addEventListener('abort', this.#forward);
    if (terminal) process.on('SIGWINCH', this.#resize);
  }

  /** Ends the process at once. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#grace);
    this.#here.signal.removeEventListener('abort', this.#forward);
    process.off('SIGWINCH', this.#resize);
  }

  #pass(fd: 1 | 2, chunk: Buffer): void {
    if (!this.#stop.signal.aborted && !this.#here.output(fd, chunk)) this.#stop.abort(readerGone);
  }

  /** The process decides about a signal that it heeds; told to end, it has a while. */
  readonly #forward = (): void => {
    const signal = this.#here.interrupted() === 143 ? 'SIGTERM' : 'SIGINT';
    const kill = (): void => this.#stop.abort(this.#here.signal.reason);
    if (!this.#control?.send(signal)) kill();
    else if (signal === 'SIGTERM') this.#grace = setTimeout(kill, GRACE_MS);
  };

  readonly #resize = (): void => this.#control?.resize(terminalSize());
}
