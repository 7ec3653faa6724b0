import { join } from 'node:path';
import type { Framed } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Network } from '../../src/core/options.ts';
import { timed } from '../../src/core/spans.ts';
import type { HeldCopy, RecordedStep } from '../../src/core/store.ts';
import type { Entry, Layer, Platform, Snapshot } from '../../src/core/types.ts';
import type { Recallable } from '../remember.ts';
import type { Bounds } from '../sandbox/confines.ts';
import type { Recording } from '../sandbox/ownership/recording.ts';
import type { Engine, Exit, Overlay, Root, SandboxPlan } from '../sandbox/plan.ts';
import type { Tools } from '../tools.ts';
import { LayeredView } from '../view.ts';
import { checkMachine, holdCopy, planProcess, type WantedProcess } from './process-plan.ts';
import type { RootForm } from './root-form.ts';
import type { RunCommand } from './run-command.ts';
import { type HeldMounts, holdMounts } from './run-holding.ts';
import { keyOfMount, type RunMount, sourceOfMount } from './run-mounts.ts';
import { checkReadable } from './source.ts';
import { StepLog } from './step-log.ts';

/** A RUN with everything expanded: what the step can see. */
export interface RunInput {
  readonly command: RunCommand;
  /** ENV and ARG values, in order. */
  readonly env: ReadonlyMap<string, string>;
  /** Values that the process sees and the key does not: proxies. */
  readonly hiddenEnv: ReadonlyMap<string, string>;
  readonly workdir: string;
  readonly user: string;
  readonly network: Network;
  readonly insecure: boolean;
  readonly mounts: readonly RunMount[];
  readonly platform: Platform;
  /** What the programs of the image are made for, whatever platform was asked for. */
  readonly machine: Platform;
  /** The step's name in events and logs. */
  readonly step: string;
  readonly hostname: string;
  /** What of owners a layer would carry that is made here. */
  readonly recording: Recording;
  /** Cache mounts are emptied when the build first holds them (`--no-cache`). */
  readonly freshMounts: boolean;
}

/** The RUN as the cache knows it: files that it mounts are named first by where they come from, then by content. */
export function recallableRun(input: RunInput, tools: Tools): Recallable {
  const ingredients = runIngredients(input, tools);
  const reads = input.mounts.flatMap((mount) => sourceOfMount(mount)?.reads ?? []);
  const firsts = reads.map((selection) => selection.firstKey);
  const make = (below: Snapshot) => run(below, input, tools);
  if (reads.length === 0) return { first: ingredients, make };
  return {
    first: firsts.includes(undefined) ? undefined : { ...ingredients, reads: firsts as Framed[] },
    content: async () => ({
      ...ingredients,
      contents: await Promise.all(reads.map((selection) => selection.contentKey())),
    }),
    lists: () => reads.flatMap((selection) => selection.list() ?? []),
    make,
  };
}

/** What a RUN can see, apart from what is below it and the content of what it mounts. */
function runIngredients(input: RunInput, tools: Tools): { [field: string]: Framed } {
  const { command, env, workdir, user, hostname, network, insecure, platform, recording } = input;
  return {
    step: 'run',
    command: { args: command.args, files: command.files.map(({ path, content }) => [path, content]) },
    env: [...env],
    workdir,
    user,
    hostname,
    network,
    insecure,
    platform: [platform.os, platform.architecture, platform.variant],
    hosts: tools.options.addHosts.map((line) => line.split(' ')[1]),
    ulimits: tools.options.ulimits,
    shm: tools.options.shmSize,
    mounts: input.mounts.map(keyOfMount),
    ...rightsOf(tools.options),
    // A layer without its owners is for those alone who get no better one.
    ...(recording !== 'all' && { recording }),
  };
}

/** Nothing where nothing is unusual. */
function rightsOf({ rights }: Tools['options']): { [field: string]: Framed } {
  if (rights === undefined) return {};
  const { add, drop, unfiltered, noNewPrivileges } = rights;
  return {
    ...(add && { capAdd: add }),
    ...(drop && { capDrop: drop }),
    ...(unfiltered && { seccomp: 'unconfined' }),
    ...(noNewPrivileges && { noNewPrivileges }),
  };
}

/** Runs the process on top of `below` and keeps what it changed as a layer. */
async function run(below: Snapshot, input: RunInput, tools: Tools): Promise<Layer> {
  for (const mount of input.mounts) checkSource(mount, tools);
  const engine = await tools.engine();
  const { rights } = tools.options;
  engine.check?.({
    ...{ network: input.network, insecure: input.insecure, terminal: false },
    ...(rights && { rights }),
  });
  return await tools.rootForms.use(engine, (form) => runOn(below, { input, form, engine }, tools));
}

interface Running {
  readonly input: RunInput;
  readonly form: RootForm;
  readonly engine: Engine;
}

async function runOn(below: Snapshot, { input, form, engine }: Running, tools: Tools): Promise<Layer> {
  const { emit, store, signal } = tools;
  await using scratch = await store.scratch();
  const around = { store, signal, scratch: scratch.path };
  await checkMachine(input.machine, below.layers, around);
  await using mounts = await holdMounts(
    { ...input, form, moved: engine.moves === true },
    scratch.path,
    tools,
  );
  await using copy = await timed(emit, 'unpack', () => holdCopy(form, below.layers, around));
  await using confined = await tools.confines.confine(input.network, scratch.path);
  const wanted = { ...wantedOf(input, mounts), ...confined.bounds };
  const plan = await timed(emit, 'unpack', () => planProcess(below.layers, wanted, { ...around, copy }));
  using log = new StepLog(tools.logs, input.step, { emit, secrets: mounts.secrets });
  const exit = await timed(emit, 'run', () => engine.run(plan, ioOf(log, signal), scratch.path, signal));
  log.end();
  if (exit.code !== 0) throw failed(input.command, exit, { log, memory: confined.ranOutOfMemory() });
  return await timed(emit, 'commit', () => commit({ plan, exit, copy, below }, around));
}

/** A process that has ended well. */
interface Ended {
  readonly plan: SandboxPlan;
  readonly exit: Exit;
  readonly copy: HeldCopy | undefined;
  readonly below: Snapshot;
}

/** Keeps what the process changed as a layer. */
async function commit(
  { plan, exit, copy, below }: Ended,
  around: Pick<Tools, 'store' | 'signal'> & { readonly scratch: string },
): Promise<Layer> {
  const { store, signal } = around;
  const layer = await store.layers.commitUpper(
    await upperOf(plan.root, { copy, touched: exit.touched ?? [], ...around }),
    {
      residue: exit.residue,
      below: await directoriesBelow(exit.residue, LayeredView.of(below.layers, store.layers, signal)),
      ...('lower' in plan.root && { lower: plan.root.lower }),
      ...(exit.journal !== undefined && { recorded: recordedOf(plan, exit, copy) }),
    },
  );
  copy?.becomes(layer);
  return layer;
}

/** What the commit has to know of owners that are recorded. */
function recordedOf(
  { root, owners = [] }: SandboxPlan,
  { journal = [], made }: Exit,
  copy: HeldCopy | undefined,
): RecordedStep {
  const lower = 'lower' in root ? root.lower : (copy?.trees ?? []);
  return { journal, lower, below: owners, ...(made && { made }) };
}

interface Changed {
  readonly copy: HeldCopy | undefined;
  /** Paths that are not changed by having been touched. */
  readonly touched: readonly string[];
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** The directory that holds what the step changed. */
async function upperOf(root: Root, { copy, touched, scratch, signal }: Changed): Promise<string> {
  if (copy === undefined || 'lower' in root) return (root as Overlay).upper!;
  const upper = join(scratch, 'changes');
  await copy.moveChanges(upper, { touched, signal });
  return upper;
}

/** A stage that is mounted must be at hand by now. */
function checkSource(mount: RunMount, tools: Tools): void {
  const snapshot = sourceOfMount(mount)?.snapshot;
  if (snapshot !== undefined) checkReadable(snapshot, tools);
}

/** What a step still says while it is being killed comes from the programs around it. */
function ioOf(log: StepLog, signal: AbortSignal) {
  const write = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    if (!signal.aborted) log.write(stream, chunk);
  };
  return { stdin: 'empty' as const, stdout: write('stdout'), stderr: write('stderr') };
}

/** What the process is, apart from the tree it runs in and its bounds. */
function wantedOf(input: RunInput, mounts: HeldMounts): Omit<WantedProcess, keyof Bounds> {
  return {
    mounts: mounts.mounts,
    process: {
      args: input.command.args,
      env: new Map([...input.env, ...input.hiddenEnv, ...mounts.env]),
      cwd: input.workdir,
      user: input.user,
      terminal: false,
    },
    hostname: input.hostname,
    insecure: input.insecure,
  };
}

interface Failing {
  readonly log: StepLog;
  /** The kernel has ended a part of it for want of memory. */
  readonly memory: boolean;
}

const hints: Readonly<Record<number, string>> = {
  126: 'The command was found but may not be executed: check its mode and its interpreter.',
  127: 'The command was not found in the image: check its name and PATH, and that the base has it.',
  137: 'The process was killed; often memory ran out.',
};

function failed({ args }: RunCommand, { code }: Exit, { log, memory }: Failing): BuildError {
  const process = `process "${args.join(' ')}" did not complete successfully: exit code: ${code}`;
  return new BuildError('run-failed', memory ? `${process}, after memory ran out` : process, {
    exitCode: code,
    log: log.tail,
    hint: memory
      ? 'The kernel ended a process of the step: give it more with --memory, or let it do less at once.'
      : (hints[code] ?? 'The command itself failed: its last lines above say why.'),
  });
}

/** The root, and the directories that were there to hold what the runtime made. */
async function directoriesBelow(residue: readonly string[], view: LayeredView): Promise<Entry[]> {
  const above = residue.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/')));
  const found = await Promise.all([...new Set(['', ...above])].map((path) => view.lookup(path)));
  return found.filter((entry): entry is Entry => entry?.type === 'dir');
}
