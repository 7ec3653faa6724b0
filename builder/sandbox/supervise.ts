import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { openFifo } from './fifo.ts';
import type { ProcessControl, SandboxIo, SandboxPlan } from './plan.ts';
import { searchPath } from './programs.ts';

/** How a step's outermost process ended. */
export interface Ended {
  /** Exit code, or 128 + signal number. */
  readonly code: number;
  /** The last that was written to stderr: where setting up fails, the reason is there. */
  readonly lastError: string;
}

export interface StepSurroundings {
  readonly plan: Pick<SandboxPlan, 'networkNamespace' | 'cgroups'>;
  readonly io: SandboxIo;
  /** Private folder of the step. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * What runs first in the step's own namespaces: `folder names groups count (type source options target)… command…`. It
 * enters the control groups (their files, between spaces), mounts, leaves `ready` as the sign that it came that far, and
 * becomes the command.
 */
const setupScript = `cd "$2" || exit 125
folder=$1 count=$4
for group in $3; do echo 0 >"$group" || exit 125; done
shift 4
while [ "$count" -gt 0 ]; do
  mount -n -i -t "$1" -o "$3" "$2" "$4" 2>>"$folder/setup.log" || exit 125
  shift 4
  count=$((count - 1))
done
: >"$folder/ready"
cd /
exec "$@"`;

/**
 * Two levels of pid namespaces: a setuid program that becomes pid 1 of the runtime's loses its parent-death signal, not
 * so the one around it (DESIGN §6). A parent-death signal follows the thread: call this from the main thread only.
 */
function outermost({ networkNamespace }: StepSurroundings['plan']): string[] {
  const inNetwork = networkNamespace === undefined ? [] : ['nsenter', `--net=${networkNamespace}`, '--'];
  const apart = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
  return ['--pdeathsig', 'KILL', '--', ...inNetwork, ...apart];
}

/**
 * Runs the setup script with `args` in a pid and mount namespace of its own, that ends with it and with us. An aborted
 * signal kills all of it; the promise then rejects with the signal's reason, after the last process is gone.
 */
export async function superviseStep(args: readonly string[], around: StepSurroundings): Promise<Ended> {
  const { plan, io, folder, signal } = around;
  const tail = new Tail();
  const stdin = io.stdin === 'empty' ? 'ignore' : 'inherit';
  const stdout = io.stdin === 'terminal' ? undefined : openFifo(join(folder, 'stdout'), io.stdout);
  const stderr = openFifo(join(folder, 'stderr'), (chunk) => {
    tail.add(chunk);
    io.stderr(chunk);
  });
  const child = spawn('setpriv', [...outermost(plan), 'sh', '-c', setupScript, 'sh', ...args], {
    stdio: [stdin, stdout?.writeEnd ?? 'inherit', stderr.writeEnd],
    detached: io.started !== undefined && stdout !== undefined,
    env: environment(folder),
  });
  const stop = (): void => signalStep(child, 'SIGKILL');
  io.started?.(controlOf(child));
  signal.addEventListener('abort', stop);
  try {
    stdout?.release();
    stderr.release();
    if (signal.aborted) stop();
    const code = await exitOf(child);
    signal.throwIfAborted();
    return { code, lastError: tail.text };
  } finally {
    signal.removeEventListener('abort', stop);
    stdout?.drain();
    stderr.drain();
  }
}

/** Nothing of ours is inherited. mount(8) from 2.39 on would use calls that cut a long list of layers. */
function environment(folder: string): NodeJS.ProcessEnv {
  return { PATH: searchPath(), LC_ALL: 'C', XDG_RUNTIME_DIR: folder, LIBMOUNT_FORCE_MOUNT2: 'always' };
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/**
 * Signals pid 1 of the step's namespace: killed rather than `unshare`, which then waits until the kernel has ended all
 * the others; other signals the runtime passes on. Before there is one, `unshare` itself gets it.
 */
function signalStep({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  const inner = childrenOf(pid);
  for (const target of inner.length > 0 ? inner : [pid]) kill(target, signal);
}

function kill(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended by itself.
  }
}

function controlOf(child: ChildProcess): ProcessControl {
  const processes = (): number[] => childrenOf(child.pid ?? 0).flatMap(childrenOf);
  return {
    // A terminal interrupts all of its foreground group, which here is the group of the step's own process.
    send(signal) {
      const bit = 1n << BigInt(constants.signals[signal] - 1);
      const heeds = processes().some((process) => (signalMask(process) & bit) !== 0n);
      if (signal === 'SIGINT') for (const process of processes()) kill(-process, signal);
      else signalStep(child, signal);
      return heeds;
    },
    // crun gives its terminal no other size by itself.
    resize({ rows, columns }) {
      for (const process of processes()) {
        const size = ['rows', String(rows), 'cols', String(columns)];
        execFile('stty', ['-F', `/proc/${process}/fd/0`, ...size], () => {});
      }
    },
  };
}

/** Signals that a process handles, blocks or ignores, a bit each. */
function signalMask(pid: number): bigint {
  try {
    const masks = readFileSync(`/proc/${pid}/status`, 'latin1').matchAll(/^Sig(?:Blk|Ign|Cgt):\s*(\w+)/gm);
    return [...masks].reduce((all, [, mask]) => all | BigInt(`0x${mask}`), 0n);
  } catch {
    return 0n;
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The last two kilobytes of a stream. */
class Tail {
  #bytes: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#bytes =
      chunk.length >= 2048 ? chunk.subarray(-2048) : Buffer.concat([this.#bytes, chunk]).subarray(-2048);
  }

  get text(): string {
    return this.#bytes.toString('utf8');
  }
}
