import { randomBytes } from 'node:crypto';
import { closeSync, constants, lstatSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import { mknod } from '../../src/sys/file.ts';
import { openFifo } from './fifo.ts';

export interface OutsideOptions {
  /** Written to the program; nothing else passes secrets (never argv, never a file). */
  readonly stdin?: Buffer | AsyncIterable<Buffer>;
  readonly signal?: AbortSignal;
  /** Takes stdout as it comes; `stdout` of the result is empty then. */
  readonly stdout?: (chunk: Buffer) => void;
  /** Takes stderr as it comes as well; the result still holds its end. */
  readonly stderr?: (chunk: Buffer) => void;
  /** Added to the person's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute; default: where tsbuild was started. */
  readonly cwd?: string;
}

/** Options whose sinks are set. */
export type OutsideRun = OutsideOptions & Required<Pick<OutsideOptions, 'stdout' | 'stderr'>>;

/** What a pipe takes without a reader: all that is said about a request. */
const REQUEST_BYTES = 65_536;
/** Between asking a program to end and ending it. */
const GRACE_MS = 500;

/**
 * One request to the launcher's helper (`bin/outside.sh`): a private folder of fifos. Arguments, data and answers go
 * through fifos only, so nothing of them ever lies on disk. Resolves to the program's exit code.
 */
export async function askOutside(helper: string, argv: readonly string[], run: OutsideRun): Promise<number> {
  checkHelper(helper);
  const name = randomBytes(8).toString('hex');
  const folder = join(helper, name);
  mkdirSync(folder, { mode: 0o700 });
  try {
    return await converse(helper, name, { argv, run });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Asked {
  readonly argv: readonly string[];
  readonly run: OutsideRun;
}

function converse(helper: string, name: string, { argv, run }: Asked): Promise<number> {
  const folder = join(helper, name);
  const held = ['in', 'args'].map((fifo) => hold(join(folder, fifo)));
  const out = openFifo(join(folder, 'out'), run.stdout);
  const err = openFifo(join(folder, 'err'), run.stderr);
  let pid: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (pid === undefined) return;
    kill(pid, 'SIGTERM');
    timer ??= setTimeout(() => kill(pid!, 'SIGKILL'), GRACE_MS);
  };
  const started = (program: number): void => {
    pid = program;
    out.release();
    err.release();
    status.release();
    const input = openSync(join(folder, 'in'), constants.O_WRONLY | constants.O_NONBLOCK);
    for (const fd of held.splice(0)) closeSync(fd);
    void feed(run.stdin, new Socket({ fd: input, readable: false, writable: true })).catch(stop);
    if (run.signal?.aborted) stop();
  };
  let settle: (code: number) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const ended = new Promise<number>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  const status = openFifo(
    join(folder, 'status'),
    lineReader({ pid: started, exit: (code) => settle(code) }),
    () => fail(helperGone()),
  );
  run.signal?.addEventListener('abort', stop);
  try {
    say(held[1]!, requestText(argv, run));
    ring(helper, name);
  } catch (error) {
    fail(error);
  }
  return ended.finally(() => {
    clearTimeout(timer);
    run.signal?.removeEventListener('abort', stop);
    for (const fd of held.splice(0)) closeSync(fd);
    for (const fifo of [out, err, status]) fifo.drain();
  });
}

/** Writes all of `stdin` and ends; a program that stops reading is no failure, its exit code tells. */
export async function feed(stdin: OutsideOptions['stdin'], to: NodeJS.WritableStream): Promise<void> {
  const chunks = stdin === undefined ? [] : Buffer.isBuffer(stdin) ? [stdin] : stdin;
  try {
    await pipeline(Readable.from(chunks, { objectMode: false }), to);
  } catch (error) {
    if (!['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** Keeps a fifo open at both ends, so that the helper finds it open whenever it comes. */
function hold(path: string): number {
  mknod(path, 'fifo', { mode: 0o600 });
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

function lineReader(known: Readonly<Record<string, (value: number) => void>>): (chunk: Buffer) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const [word = '', value] = line.split(' ');
      known[word]?.(Number(value));
    }
  };
}

/** `kind value` lines; bytes that a line or the shell's printf would change are written as \0ooo. */
export function requestText(
  argv: readonly string[],
  { env = {}, cwd }: Pick<OutsideRun, 'env' | 'cwd'>,
): string {
  const lines = [
    ...Object.entries(env).map(([key, value]) => `env ${escaped(`${key}=${value}`)}`),
    ...(cwd === undefined ? [] : [`cwd ${escaped(cwd)}`]),
    ...argv.map((argument) => `arg ${escaped(argument)}`),
    'end',
  ];
  return `${lines.join('\n')}\n`;
}

function escaped(text: string): string {
  const plain = /[A-Za-z0-9_./:=@,+-]/;
  return Array.from(Buffer.from(text), (byte) => {
    const character = String.fromCharCode(byte);
    return plain.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}

function say(fd: number, text: string): void {
  if (text.length > REQUEST_BYTES)
    throw new BuildError('usage', 'a command for a program outside is too long');
  writeSync(fd, text);
}

function ring(helper: string, name: string): void {
  const bell = openBell(helper);
  try {
    writeSync(bell, `${name}\n`);
  } finally {
    closeSync(bell);
  }
}

/**
 * Makes sure that the helper listens, as it does since before we were started, and that its folder is the person's own:
 * others could answer for it.
 */
function checkHelper(helper: string): void {
  const folder = lstatSync(helper, { throwIfNoEntry: false });
  const isOwn = folder?.isDirectory() && folder.uid === process.geteuid?.() && (folder.mode & 0o077) === 0;
  if (!isOwn) throw helperGone();
  closeSync(openBell(helper));
}

/** The fifo of requests has no reader once the helper was killed: what it would have removed is removed here. */
function openBell(helper: string): number {
  try {
    return openSync(join(helper, 'ask'), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (!['ENOENT', 'ENXIO'].includes(errnoOf(error) ?? '')) throw error;
    rmSync(helper, { recursive: true, force: true });
    throw helperGone();
  }
}

function helperGone(): BuildError {
  return new BuildError('sandbox', 'the helper that runs programs outside the namespaces is gone', {
    hint: 'Start tsbuild again through its installed command, and let its background process live.',
  });
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
