import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { builtinEngine } from '../sandbox/builtin.ts';
import { layersOf } from '../sandbox/image-places.ts';
import type { Engine, Exit, SandboxIo, SandboxPlan } from '../sandbox/plan.ts';
import { canAssemble } from '../sandbox/program/assemble.ts';
import { resolveIn } from '../sandbox/rootfs-view.ts';
import { bringShell, hiddenVariables } from './brought-shell.ts';
import type { ShellTerminal } from './debugger.ts';
import { isShell, SHELL_FOLDER, startedWith, writeStartFile } from './start-file.ts';

/** Where a shell is opened. */
export interface ShellPlace {
  /** What the step itself would run, or has run. */
  readonly plan: SandboxPlan;
  /** What runs the shell form of its commands. */
  readonly shell: readonly string[];
  readonly engine: Engine;
  /** A private folder. */
  readonly scratch: string;
}

/** What a shell is opened for: somebody at our terminal, or one command whose output goes where it is told. */
export type ShellUse =
  | { readonly terminal: ShellTerminal }
  | { readonly command: string; readonly write: (fd: 1 | 2, chunk: Buffer) => void };

/**
 * Runs a shell where the plan's process would run, to its end: one of the image, or where it has none that starts, one that
 * is brought along.
 */
export async function runShell(place: ShellPlace, use: ShellUse, signal: AbortSignal): Promise<Exit> {
  const engine = shellEngine(place.engine);
  const ofImage = shellOf(place);
  if (ofImage !== undefined) {
    const { exit, refused } = await runOn(use, { place, engine, program: ofImage }, signal);
    if (!refused) return exit;
  }
  return (await runOn(use, { place, engine, program: undefined }, signal)).exit;
}

/** A runtime of others has no way to give a process a terminal that is not its own. */
function shellEngine(engine: Engine): Engine {
  const isOurs = engine.name === 'builtin' || engine.moves === true;
  return isOurs || !canAssemble() ? engine : builtinEngine();
}

/** The step's own shell where people can type into it, else a usual one, as far as the root has them. */
function shellOf({ plan, shell }: ShellPlace): string | undefined {
  const layers = layersOf(plan.root);
  const own = shell.slice(0, 1).filter(isShell).flatMap(onPath(plan.process.env));
  return [...own, '/bin/bash', '/bin/sh'].find((path) => isProgram(layers, path));
}

function onPath(env: readonly string[]): (name: string) => string[] {
  const path = env.findLast((variable) => variable.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  const folders = path.split(':').filter((folder) => folder.startsWith('/'));
  return (name) => (name.includes('/') ? [name] : folders.map((folder) => `${folder}/${name}`));
}

function isProgram(layers: readonly string[], path: string): boolean {
  const { path: found, existing, directory } = resolveIn(layers, path);
  return !directory && found !== '' && existing === found.split('/').length;
}

interface Wanted {
  readonly place: ShellPlace;
  readonly engine: Engine;
  /** A shell of the image; without one ours is brought along. */
  readonly program: string | undefined;
}

async function runOn(
  use: ShellUse,
  { place, engine, program }: Wanted,
  signal: AbortSignal,
): Promise<{ readonly exit: Exit; readonly refused: boolean }> {
  const scratch = mkdtempSync(join(place.scratch, 'shell-'));
  const folder = join(scratch, 'shell');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  let first: Buffer | undefined;
  const [io, stop] = ioFor(use, engine, (chunk) => {
    first ??= chunk;
  });
  try {
    const line = program === undefined ? brought(place.plan, folder) : started(place.plan, program, folder);
    const exit = await engine.run(shellPlan(place.plan, { folder, line, use, engine }), io, scratch, signal);
    // So the engine itself says that it could not be started.
    const refused = first?.toString().startsWith(`exec: ${program}: `) === true && exit.code >= 126;
    return { exit, refused };
  } finally {
    stop();
  }
}

/** `said` is told what comes on stderr. */
function ioFor(
  use: ShellUse,
  { moves }: Engine,
  said: (chunk: Buffer) => void,
): readonly [io: SandboxIo, stop: () => void] {
  const write = 'terminal' in use ? (_: 1 | 2, chunk: Buffer) => use.terminal.write(chunk) : use.write;
  let stop = (): void => {};
  const io: SandboxIo = {
    stdin: 'command' in use ? 'empty' : moves === true ? 'ours' : 'terminal',
    screen: 2,
    stdout: (chunk) => write(1, chunk),
    stderr: (chunk) => {
      said(chunk);
      write(2, chunk);
    },
    started: (control) => {
      if ('terminal' in use) stop = use.terminal.onResize((size) => control.resize(size));
    },
  };
  return [io, () => stop()];
}

interface Shell {
  /** What is shown to it. */
  readonly folder: string;
  readonly line: CommandLine;
  readonly use: ShellUse;
  readonly engine: Engine;
}

function shellPlan(plan: SandboxPlan, { folder, line, use, engine }: Shell): SandboxPlan {
  const { program, flags, env } = line;
  const shown = { source: folder, target: SHELL_FOLDER, readonly: true, movable: true } as const;
  const process = { ...plan.process, env };
  const mounts = [...plan.mounts, { kind: 'bind' as const, ...shown }];
  if ('command' in use)
    return { ...plan, mounts, process: { ...process, args: [...program, '-c', use.command] } };
  const { kind, size } = use.terminal;
  return {
    ...plan,
    mounts,
    process: {
      ...process,
      args: [...program, ...flags],
      env: env.some((variable) => variable.startsWith('TERM=')) ? env : [...env, `TERM=${kind}`],
      // Where nothing can be mounted there is none to be had: the shell then reads ours.
      terminal: engine.moves === true ? false : size,
    },
  };
}

interface CommandLine {
  readonly program: readonly string[];
  /** What it takes to be of use to somebody who types. */
  readonly flags: readonly string[];
  readonly env: readonly string[];
}

function started({ process: { env } }: SandboxPlan, program: string, folder: string): CommandLine {
  writeStartFile(folder);
  const { flags, env: more } = startedWith(program);
  const own = Object.entries(more).map(([name, value]) => `${name}=${value}`);
  return { program: [program], flags, env: [...env, ...own] };
}

function brought({ process: { env } }: SandboxPlan, folder: string): CommandLine {
  return { program: bringShell(folder), flags: [], env: hiddenVariables(env) };
}
