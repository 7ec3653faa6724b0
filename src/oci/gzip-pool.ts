import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerFile } from '../core/worker.ts';
import { blockBytes, type CompressedBlock, type GzipBlock, windowBytes } from './gzip-block.ts';

interface Job {
  readonly block: GzipBlock;
  readonly resolve: (block: CompressedBlock) => void;
  readonly reject: (error: unknown) => void;
}

/** What a worker says: the result, and the memory of the block to be used again. */
export interface Answer {
  readonly done: CompressedBlock;
  readonly spare: ArrayBuffer;
}

/** Worker threads that compress blocks. They are started when needed; idle ones do not keep the process alive. */
export class GzipPool {
  readonly width: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Job>();
  readonly #waiting: Job[] = [];
  readonly #spare: ArrayBuffer[] = [];

  constructor(width: number = availableParallelism()) {
    this.width = Math.max(1, width);
  }

  /** Memory for a block and what goes before it: fresh memory costs a page fault for every 4 KiB. */
  memory(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(windowBytes + blockBytes);
  }

  /** Compresses a block; its memory, from `memory`, moves to a worker. */
  compress(block: GzipBlock): Promise<CompressedBlock> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ block, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    const workers = [...this.#idle, ...this.#busy.keys()];
    this.#idle.length = 0;
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#busy.size < this.width ? this.#start() : undefined);
    if (worker === undefined) return;
    const job = this.#waiting.shift()!;
    this.#busy.set(worker, job);
    worker.ref();
    worker.postMessage(job.block, [job.block.bytes.buffer as ArrayBuffer]);
  }

  #start(): Worker {
    const worker = new Worker(workerFile('gzip-worker'));
    worker.on('message', (answer: Answer) => this.#finished(worker, answer));
    worker.on('error', (error) => this.#failed(worker, error));
    worker.on('exit', () => this.#failed(worker, new Error('a compression worker ended')));
    return worker;
  }

  #finished(worker: Worker, { done, spare }: Answer): void {
    const job = this.#busy.get(worker);
    this.#busy.delete(worker);
    worker.unref();
    this.#idle.push(worker);
    if (this.#spare.length <= 2 * this.width) this.#spare.push(spare);
    job?.resolve(done);
    this.#next();
  }

  #failed(worker: Worker, error: unknown): void {
    const job = this.#busy.get(worker);
    this.#busy.delete(worker);
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    job?.reject(error);
    this.#next();
  }
}
