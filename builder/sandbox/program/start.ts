import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { errnoOf } from '../../../src/core/errors.ts';
import { memfdCreate } from '../../../src/sys/file.ts';
import { CHANNEL, lastFailure, loaderOf, type Program } from './assemble.ts';
import { type Block, block, type Call, call, type Item, label } from './calls.ts';

/** A call that failed, in a program that runs. */
export interface Failure {
  readonly call: Call;
  /** `EPERM`. */
  readonly errno: string;
  /** The program ended with it: the call does not tolerate it. */
  readonly fatal: boolean;
}

export interface StartOptions {
  /** Standard input, output and error of the program. */
  readonly stdio: readonly [Stream, Stream, Stream];
  /** A private folder, used where the machine wants no file in memory to be executed. */
  readonly folder: string;
  /** It stays in our session and group, where our terminal finds it. */
  readonly attached?: true;
  /** The channel brought a failure: a fatal one, or one that the program told itself. */
  readonly failed: (failure: Failure) => void;
  /** The channel brought a message of the program: its number and value. */
  readonly told?: (message: number, value: number) => void;
}

type Stream = number | 'ignore' | 'inherit';

export interface Started {
  readonly child: ChildProcess;
  /** Writes a byte, for which the program waits with `awaitByte`. */
  go(): void;
}

/**
 * Starts a program as a child: a session of its own (unless `attached`), no environment, no descriptor besides the three and its channel. What
 * was written on the channel has been handed on when the child's `close` comes. Call it from the main thread: a
 * parent-death signal follows the thread.
 */
export function start(program: Program, options: StartOptions): Started {
  const file = executable(program, options.folder);
  try {
    const stdio = [...options.stdio, 'pipe', ...file.descriptors] as StdioOptions;
    const child = spawn(file.path, [], {
      argv0: 'tsbuild-step',
      stdio,
      env: {},
      detached: options.attached !== true,
    });
    const channel = child.stdio[CHANNEL] as Duplex | null | undefined;
    channel?.on('error', () => {});
    channel?.on('data', readMessages(program, options));
    return { child, go: () => void channel?.write(Buffer.alloc(1)) };
  } finally {
    file.close();
  }
}

/** The number of the first message; the others count down, apart from the numbers of calls. */
const FIRST = -1;

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** A message for `told`. Its value is kept at offset 8. */
export function message(number: number): Block {
  return block([FIRST - number, 0]);
}

export function tell(one: Block): Call {
  return call('write', [CHANNEL, one, 16]);
}

/** What failed last is told too, though it was tolerated. */
export const tellFailure = call('write', [CHANNEL, lastFailure, 16]);

/** Waits for `go`; when nobody is there any more to say it, the process ends. */
export function awaitGo(): readonly Item[] {
  const go = label();
  return [
    call('read', [CHANNEL, block(), 1], { when: { equals: 1, goto: go } }),
    call('exit_group', [0]),
    go,
  ];
}

/** The process ends with the one that starts the program; where that is gone already, at once. */
export function dieWithUs(): readonly Item[] {
  const alive = label();
  return [
    call('prctl', [PR_SET_PDEATHSIG, SIGKILL], { about: 'ask to be ended with its parent' }),
    call('getppid', [], { when: { equals: process.pid, goto: alive } }),
    call('exit_group', [0]),
    alive,
  ];
}

function readMessages(program: Program, { failed, told }: StartOptions): (chunk: Buffer) => void {
  let waiting = Buffer.alloc(0);
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (; waiting.length >= 16; waiting = waiting.subarray(16)) {
      const number = Number(waiting.readBigInt64LE(0));
      const value = Number(waiting.readBigInt64LE(8));
      if (number <= FIRST) told?.(FIRST - number, value);
      else failed(failureOf(program.calls[number]!, getSystemErrorName(-value)));
    }
  };
}

function failureOf(one: Call, errno: string): Failure {
  const { tolerate = [] } = one;
  return { call: one, errno, fatal: tolerate !== 'all' && !tolerate.some((name) => name === errno) };
}

interface Executable {
  readonly path: string;
  /** To be handed on, from 4. */
  readonly descriptors: readonly number[];
  /** Once it was executed. */
  close(): void;
}

/** Where the machine wants no file in memory to be executed, a loader without content is, which lies on disk meanwhile. */
function executable(program: Program, folder: string): Executable {
  try {
    const fd = inMemory(program.file, true);
    return { path: `/proc/self/fd/${fd}`, descriptors: [], close: () => closeSync(fd) };
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error;
  }
  const fd = inMemory(program.file, false);
  const path = join(folder, 'program');
  writeFileSync(path, loaderOf(program), { mode: 0o700 });
  const close = (): void => {
    rmSync(path);
    closeSync(fd);
  };
  return { path, descriptors: [fd], close };
}

/** The file is opened again for reading only: what is open for writing is not executed (ETXTBSY). */
function inMemory(content: Buffer, executed: boolean): number {
  const written = memfdCreate('tsbuild-step', executed);
  try {
    writeSync(written, content);
    return openSync(`/proc/self/fd/${written}`, 'r');
  } finally {
    closeSync(written);
  }
}
