import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { openFifo } from './fifo.ts';
import type { ProcessControl, SandboxIo } from './plan.ts';
import type { Program } from './program/assemble.ts';
import { messages } from './program/namespaces.ts';
import { type Failure, type StartOptions, start } from './program/start.ts';

/** How a step's program ended. */
export interface Ended {
  /** Exit code, or 128 + signal number. */
  readonly code: number;
  /** Calls that failed, in order. */
  readonly failures: readonly Failure[];
  /** The last that was written to stderr: what a runtime could say nowhere else is there. */
  readonly lastError: string;
}

export interface StepSurroundings {
  readonly io: SandboxIo;
  /** Private folder of the step. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Whether the program gives the command its terminal, or a runtime has to be given ours. */
  readonly terminal: 'own' | 'ours';
  /** Does our part where a process, `pid`, waits for it; `value` is what it told. */
  readonly attend?: (request: Request) => Promise<void>;
}

export interface Request {
  readonly message: number;
  readonly value: number;
  readonly pid: number;
}

/**
 * Runs a program that makes a pid namespace of its own, which ends with it and with us. An aborted signal kills all of it; the
 * promise then rejects with the signal's reason, after the last process is gone. Call it from the main thread.
 */
export async function superviseProgram(program: Program, around: StepSurroundings): Promise<Ended> {
  const { io, folder, signal } = around;
  const tail = new Tail();
  const stdout = io.stdin === 'terminal' ? undefined : openFifo(join(folder, 'stdout'), io.stdout);
  const stderr = openFifo(join(folder, 'stderr'), (chunk) => {
    tail.add(chunk);
    io.stderr(chunk);
  });
  const step = new Step(program, around, standardStreams(around, stdout?.writeEnd, stderr.writeEnd));
  io.started?.(step);
  const stop = (): void => step.kill();
  signal.addEventListener('abort', stop);
  try {
    stdout?.release();
    stderr.release();
    if (signal.aborted) stop();
    const ended = await step.ended();
    signal.throwIfAborted();
    return { ...ended, lastError: tail.text };
  } finally {
    signal.removeEventListener('abort', stop);
    stdout?.drain();
    stderr.drain();
  }
}

function standardStreams(
  { io, terminal }: StepSurroundings,
  stdout: number | undefined,
  stderr: number,
): StartOptions['stdio'] {
  const ours = io.stdin === 'ours' || (io.stdin === 'terminal' && terminal === 'ours');
  return [ours ? 'inherit' : 'ignore', stdout ?? (terminal === 'ours' ? 'inherit' : 'ignore'), stderr];
}

/** A program that runs. */
class Step implements ProcessControl {
  readonly #child: ChildProcess;
  readonly #failures: Failure[] = [];
  readonly #told = new Map<number, number>();
  readonly #around: StepSurroundings;
  readonly #go: () => void;
  #know!: (first: number) => void;
  readonly #first = new Promise<number>((resolve) => {
    this.#know = resolve;
  });
  #killed = false;
  #trouble: unknown;

  constructor(program: Program, around: StepSurroundings, stdio: StartOptions['stdio']) {
    this.#around = around;
    const { child, go } = start(program, {
      stdio,
      folder: around.folder,
      failed: (failure) => this.#failures.push(failure),
      told: (message, value) => this.#hear(message, value),
    });
    this.#child = child;
    this.#go = go;
  }

  /** Waits until the last process is gone. Throws what went wrong on our side. */
  async ended(): Promise<Omit<Ended, 'lastError'>> {
    const code = await new Promise<number>((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (exit, signal) =>
        resolve(exit ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
    if (this.#trouble !== undefined) throw this.#trouble;
    const status = this.#told.get(messages.commandStatus) ?? this.#told.get(messages.firstStatus);
    return { code: status === undefined ? code : exitCodeOf(status), failures: this.#failures };
  }

  /**
   * Kills the first process of the namespace rather than ours, which then waits until the kernel has ended all the others.
   * Before it is known it is killed once it is.
   */
  kill(): void {
    this.#killed = true;
    const first = this.#told.get(messages.first);
    if (first !== undefined) kill(first, 'SIGKILL');
  }

  /** A terminal interrupts all of its foreground group, which here is the group of the step's own process. */
  send(signal: NodeJS.Signals): boolean {
    const bit = 1n << BigInt(constants.signals[signal] - 1);
    const processes = this.#processes();
    const heeds = processes.some((process) => (signalMask(process) & bit) !== 0n);
    for (const process of processes) kill(signal === 'SIGINT' ? -process : process, signal);
    return heeds;
  }

  /** A terminal that a runtime made is out of reach but for the process that has it. */
  resize({ rows, columns }: { rows: number; columns: number }): void {
    for (const process of this.#processes()) {
      const size = ['rows', String(rows), 'cols', String(columns)];
      execFile('stty', ['-F', `/proc/${process}/fd/0`, ...size], () => {});
    }
  }

  /** The command's process: the first one starts no other. */
  #processes(): number[] {
    return childrenOf(this.#told.get(messages.first) ?? 0);
  }

  #hear(message: number, value: number): void {
    this.#told.set(message, value);
    if (message === messages.first) this.#know(value);
    if (message === messages.first && this.#killed) this.kill();
    if (message < messages.terminal) return;
    this.#attend(message, value).catch((error) => {
      this.#trouble ??= error;
      this.kill();
    });
  }

  /** The process that waits may be heard before it is known which is the first: the outermost tells that, in its own time. */
  async #attend(message: number, value: number): Promise<void> {
    const first = await this.#first;
    await this.#around.attend?.({ message, value, pid: this.#processes()[0] ?? first });
    this.#go();
  }
}

/** The exit code in a status of wait4. */
export function exitCodeOf(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

function kill(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended by itself.
  }
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
