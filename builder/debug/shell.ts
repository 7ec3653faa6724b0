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

/**
 * Runs a shell where the plan's process would run, on our terminal, to its end: one of the image, or where it has none that
 * starts, one that is brought along.
 */
export async function runShell(
  place: ShellPlace,
  terminal: ShellTerminal,
  signal: AbortSignal,
): Promise<Exit> {
  const engine = shellEngine(place.engine);
  const ofImage = shellOf(place);
  if (ofImage !== undefined) {
    const { exit, refused } = await runOn(terminal, { place, engine, program: ofImage }, signal);
    if (!refused) return exit;
  }
  return (await runOn(terminal, { place, engine, program: undefined }, signal)).exit;
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
  terminal: ShellTerminal,
  { place, engine, program }: Wanted,
  signal: AbortSignal,
): Promise<{ readonly exit: Exit; readonly refused: boolean }> {
  const scratch = mkdtempSync(join(place.scratch, 'shell-'));
  const own = engine.moves !== true;
  const said: Buffer[] = [];
  const stop: (() => void)[] = [];
  const io: SandboxIo = {
    stdin: own ? 'terminal' : 'ours',
    screen: 2,
    stdout: (chunk) => terminal.write(chunk),
    stderr: (chunk) => {
      said.push(chunk);
      terminal.write(chunk);
    },
    started: (control) => stop.push(terminal.onResize((size) => control.resize(size))),
  };
  const shown = { kind: terminal.kind, size: own && terminal.size };
  const plan = shellPlan(place.plan, { program, scratch, shown });
  try {
    const exit = await engine.run(plan, io, scratch, signal);
    // On a terminal of its own only whoever starts it says anything there.
    return { exit, refused: own && said.length > 0 && (exit.code === 126 || exit.code === 127) };
  } finally {
    for (const end of stop) end();
  }
}

interface Shell {
  readonly program: string | undefined;
  readonly scratch: string;
  readonly shown: { readonly kind: string; readonly size: SandboxPlan['process']['terminal'] };
}

function shellPlan(plan: SandboxPlan, { program, scratch, shown }: Shell): SandboxPlan {
  const folder = join(scratch, 'shell');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  const { args, env } = program === undefined ? brought(plan, folder) : started(plan, program, folder);
  const isTold = plan.process.env.some((variable) => variable.startsWith('TERM='));
  const show = { source: folder, target: SHELL_FOLDER, readonly: true, movable: true } as const;
  return {
    ...plan,
    mounts: [...plan.mounts, { kind: 'bind', ...show }],
    process: {
      ...plan.process,
      args,
      env: isTold ? env : [...env, `TERM=${shown.kind}`],
      terminal: shown.size,
    },
  };
}

type CommandLine = Pick<SandboxPlan['process'], 'args' | 'env'>;

function started({ process: { env } }: SandboxPlan, program: string, folder: string): CommandLine {
  writeStartFile(folder);
  const { flags, env: more } = startedWith(program);
  return {
    args: [program, ...flags],
    env: [...env, ...Object.entries(more).map(([name, value]) => `${name}=${value}`)],
  };
}

function brought({ process: { env } }: SandboxPlan, folder: string): CommandLine {
  return { args: bringShell(folder), env: hiddenVariables(env) };
}
