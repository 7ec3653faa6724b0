import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { BuildError } from '../core/errors.ts';
import type { BuildEvent } from '../core/events.ts';
import type { EventStream } from './event-stream.ts';

/** A command line of ours, and where it runs. */
export interface Start {
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Why nothing is started. */
  readonly refused?: BuildError | undefined;
}

/** What the command said besides its events. */
export interface Ended {
  readonly result: Readonly<Record<string, unknown>>;
  readonly stdout: string;
  /** The id under which a build is remembered. */
  readonly build: string | undefined;
}

/** Runs the command to its end. Its events come on descriptor 3, one per line; the last line is the result or the error. */
export async function startChild(start: Start, events: EventStream): Promise<Ended> {
  const { args, cwd, env, signal, refused } = start;
  signal?.throwIfAborted();
  if (refused !== undefined) throw refused;
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const;
  const child = spawn(launcher(), args, { stdio: [...stdio], cwd, env: { ...(env ?? process.env) } });
  const stop = (): void => {
    child.kill('SIGTERM');
    // One that waits for a slow reader hears no signal.
    events.letGo();
  };
  signal?.addEventListener('abort', stop);
  try {
    const [last, stdout, stderr, code] = await Promise.all([
      lastLine(child.stdio[3] as Readable, start, events),
      read(child.stdout as Readable),
      read(child.stderr as Readable),
      exitCode(child),
    ]);
    signal?.throwIfAborted();
    if (code === 0) return { result: last.result ?? {}, stdout, build: last.build };
    throw last.error ?? new BuildError('bug', `tsbuild ended with code ${code}: ${stderr.trim()}`);
  } finally {
    signal?.removeEventListener('abort', stop);
    if (child.exitCode === null) stop();
  }
}

/** `bin/tsbuild` of this package, from `dist/` as from `src/api/`. */
function launcher(): string {
  const places = ['../bin/tsbuild', '../../bin/tsbuild'];
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const path = paths.find((path) => existsSync(path));
  if (path !== undefined) return path;
  throw new BuildError('not-found', `the command of tsbuild is not at ${paths[0]}`, {
    hint: 'Install the package again.',
  });
}

interface Last {
  result?: Readonly<Record<string, unknown>>;
  error?: BuildError;
  build?: string;
}

async function lastLine(stream: Readable, { onEvent }: Start, events: EventStream): Promise<Last> {
  const last: Last = {};
  const take = (line: string): void => {
    const value = JSON.parse(line) as { readonly type: string };
    if (value.type === 'result') last.result = { ...value };
    else if (value.type === 'error') last.error = errorOf(value as unknown as ErrorLine);
    else tell(value as BuildEvent);
  };
  const tell = (event: BuildEvent): void => {
    if (event.type === 'build-start') last.build = event.id;
    onEvent?.(event);
    events.tell(event);
  };
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
    await events.room();
  }
  return last;
}

interface ErrorLine extends Pick<BuildError, 'code' | 'message'> {
  readonly hint?: string;
  readonly location?: NonNullable<BuildError['location']>;
  readonly exitCode?: number;
  readonly log?: readonly string[];
  readonly errors?: readonly ErrorLine[];
}

function errorOf({ code, message, hint, location, exitCode, log, errors }: ErrorLine): BuildError {
  return new BuildError(code, message, {
    ...(errors !== undefined && { errors: errors.map(errorOf) }),
    ...(hint !== undefined && { hint }),
    ...(location !== undefined && { location }),
    ...(exitCode !== undefined && { exitCode }),
    ...(log !== undefined && { log }),
  });
}

async function read(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
