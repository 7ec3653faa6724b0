import type { Framed } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import { timed } from '../../src/core/spans.ts';
import type { Layer, Snapshot } from '../../src/core/types.ts';
import type { Recallable } from '../remember.ts';
import type { Exit } from '../sandbox/plan.ts';
import type { Tools } from '../tools.ts';
import { type PlannedRun, type Running, withPlan } from './planned-run.ts';
import { changesOf, commitChanges } from './run-changes.ts';
import type { RunCommand } from './run-command.ts';
import type { RunInput } from './run-input.ts';
import { keyOfMount, type RunMount, sourceOfMount } from './run-mounts.ts';
import { checkReadable } from './source.ts';
import { StepLog } from './step-log.ts';

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

async function runOn(below: Snapshot, running: Running, tools: Tools): Promise<Layer> {
  for (;;) {
    const made = await withPlan(below.layers, { running, tools }, (planned) =>
      attempt(below, planned, tools),
    );
    if (made !== 'retry') return made;
  }
}

/** What the process leads to; `retry` where somebody who looked at its failure wants it to be run again. */
async function attempt(below: Snapshot, planned: PlannedRun, tools: Tools): Promise<Layer | 'retry'> {
  const { input, engine, plan, mounts, confined, scratch } = planned;
  const { emit, signal } = tools;
  using log = new StepLog(tools.logs, input.step, { emit, secrets: mounts.secrets });
  const exit = await timed(emit, 'run', () => engine.run(plan, ioOf(log, signal), scratch, signal));
  log.end();
  if (exit.code === 0) return await commit(below, planned, { exit, tools });
  const { absent } = mounts;
  const failure = failed(input.command, exit, { log, absent, memory: confined.ranOutOfMemory() });
  const { leaveFailed } = await import('../debug/failed-run.ts');
  const left = await leaveFailed({ layers: below.layers, planned, exit, failure }, tools);
  if (left === 'retry') return left;
  return { ...(await commit(below, planned, { exit: left, tools })), byHand: true };
}

async function commit(
  { layers }: Snapshot,
  planned: PlannedRun,
  { exit, tools }: { readonly exit: Exit; readonly tools: Tools },
): Promise<Layer> {
  const layer = await timed(tools.emit, 'commit', async () =>
    commitChanges(layers, await changesOf(planned, exit, tools.signal), tools),
  );
  planned.copy?.becomes(layer);
  return layer;
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

interface Failing {
  readonly log: StepLog;
  /** The kernel has ended a part of it for want of memory. */
  readonly memory: boolean;
  /** What it was not given, in sentences. */
  readonly absent: readonly string[];
}

const hints: Readonly<Record<number, string>> = {
  126: 'The command was found but may not be executed: check its mode and its interpreter.',
  127: 'The command was not found in the image: check its name and PATH, and that the base has it.',
  137: 'The process was killed; often memory ran out.',
};

const MEMORY =
  'The kernel ended a process of the step: give it more with --memory, or let it do less at once.';
const LOUD = 'The command itself failed: its last lines above say why.';
const SILENT = 'The command itself failed, and wrote nothing.';

function failed({ args }: RunCommand, { code }: Exit, { log, memory, absent }: Failing): BuildError {
  const process = `process "${args.join(' ')}" did not complete successfully: exit code: ${code}`;
  return new BuildError('run-failed', memory ? `${process}, after memory ran out` : process, {
    exitCode: code,
    log: log.tail,
    hint: [memory ? MEMORY : (hints[code] ?? (log.tail.length === 0 ? SILENT : LOUD)), ...absent].join(' '),
  });
}
