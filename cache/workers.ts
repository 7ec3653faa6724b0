import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { BuildError, type ErrorCode } from '../src/core/errors.ts';
import { gate } from '../src/core/gates.ts';
import { workerFile } from '../src/core/worker.ts';

/** A failure on its way between threads: an Error that keeps what makes it ours. */
interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly retry: boolean | undefined;
  readonly stack: string | undefined;
}

type Answer = { readonly warning: string } | { readonly failed: Failure } | { readonly done: unknown };

/** A job that runs in a worker thread. */
export interface Job<Result> {
  readonly result: Promise<Result>;
  /** Tells the running job something more. */
  tell(message: unknown): void;
}

/** Packing and unpacking are bound by the processor: two at once. */
export const atWork = gate(2);

/** Worker threads that wait for work: starting one costs 20 ms, so they are kept, without keeping the process alive. */
const idle = new Map<string, Worker[]>();

/** Ends each job that runs at this moment. */
const running = new Set<() => Promise<void>>();
/** How long a job that is to end may go on to where it notices. */
const GRACE_MS = 300;

/**
 * Ends all jobs, and waits for that: a thread whose process ends while it makes a system call takes the process's exit
 * code with it.
 */
export async function endJobs(): Promise<void> {
  await Promise.all([...running].map((end) => end()));
}

/** Runs one job of the worker `name`; an aborted signal ends the job and rejects with the signal's reason. */
export function start<Result>(
  name: string,
  input: unknown,
  options: { readonly warn: (text: string) => void; readonly signal?: AbortSignal | undefined },
): Job<Result> {
  const worker = idle.get(name)?.pop() ?? new Worker(workerFile(name), { stdout: false, stderr: false });
  worker.ref();
  const stopping = new Int32Array(new SharedArrayBuffer(4));
  let over = (): void => {};
  const settled = new Promise<void>((resolve) => (over = resolve));
  const end = async (): Promise<void> => {
    Atomics.store(stopping, 0, 1);
    const timer = setTimeout(() => void worker.terminate(), GRACE_MS);
    await settled;
    clearTimeout(timer);
  };
  running.add(end);
  const result = new Promise<Result>((resolve, reject) => {
    const settle = (act: () => void): void => {
      worker.off('message', answered).off('error', failed).off('exit', ended);
      options.signal?.removeEventListener('abort', abort);
      running.delete(end);
      over();
      if (options.signal?.aborted) reject(options.signal.reason);
      else act();
    };
    const answered = (answer: Answer): void => {
      if ('warning' in answer) {
        options.warn(answer.warning);
        return;
      }
      rest(name, worker);
      settle(() => ('done' in answer ? resolve(answer.done as Result) : reject(thawed(answer.failed))));
    };
    const failed = (error: Error): void => settle(() => reject(error));
    const ended = (code: number): void => failed(new Error(`worker thread ${name} ended with ${code}`));
    const abort = (): void => void end();
    worker.on('message', answered).on('error', failed).on('exit', ended);
    if (options.signal?.aborted) abort();
    else options.signal?.addEventListener('abort', abort, { once: true });
  });
  worker.postMessage({ input, stopping });
  return { result, tell: (message) => worker.postMessage({ more: message }) };
}

/** In a worker thread: answers each job by `work`. `more` yields what the job is told while it runs. */
export function serve<Input, Result>(
  name: string,
  work: (
    input: Input,
    job: {
      more(): Promise<unknown>;
      warn(text: string): void;
      /** Throws where the job is to end. */
      goOn(): void;
    },
  ) => Promise<Result>,
): void {
  if (isMainThread || parentPort === null) throw new Error(`${name} is a worker thread`);
  const port = parentPort;
  const queue: unknown[] = [];
  let wake: (() => void) | undefined;
  const more = async (): Promise<unknown> => {
    while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return queue.shift();
  };
  const warn = (text: string): void => port.postMessage({ warning: text } satisfies Answer);
  port.on(
    'message',
    (message: { readonly input: Input; readonly stopping: Int32Array } | { readonly more: unknown }) => {
      if ('more' in message) {
        queue.push(message.more);
        wake?.();
        return;
      }
      queue.length = 0;
      const goOn = (): void => {
        if (Atomics.load(message.stopping, 0) !== 0) throw new Error('ended before its time');
      };
      work(message.input, { more, warn, goOn }).then(
        (done) => port.postMessage({ done } satisfies Answer),
        (error: unknown) => port.postMessage({ failed: frozen(error) } satisfies Answer),
      );
    },
  );
}

/** A worker that is done is kept for the next job, two of a kind at most. */
function rest(name: string, worker: Worker): void {
  const waiting = idle.get(name) ?? [];
  if (waiting.length >= 2) {
    void worker.terminate();
    return;
  }
  worker.unref();
  idle.set(name, [...waiting, worker]);
}

function frozen(error: unknown): Failure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const { code, hint, retry } = error as Partial<BuildError>;
  return { name, message, stack, code, hint, retry };
}

function thawed({ name, message, code, hint, retry, stack }: Failure): Error {
  if (name === 'BuildError' && code !== undefined) {
    return new BuildError(code as ErrorCode, message, {
      ...(hint !== undefined && { hint }),
      retry: retry ?? false,
    });
  }
  const error = Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });
  if (stack !== undefined) error.stack = stack;
  return error;
}
