import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerFile } from '../core/worker.ts';
import type { CompressedBlock, GzipBlock } from './gzip-block.ts';

interface Job {
  readonly block: GzipBlock;
  readonly resolve: (block: CompressedBlock) => void;
  readonly reject: (error: unknown) => void;
}

/** Worker threads that compress blocks. They are started when needed; idle ones do not keep the process alive. */
export class GzipPool {
  readonly width: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Job>();
  readonly #waiting: Job[] = [];

  constructor(width: number = availableParallelism()) {
    this.width = Math.max(1, width);
  }

  /** Compresses a block; its memory moves to a worker. */
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
    worker.on('message', (done: CompressedBlock) => this.#finished(worker, done));
    worker.on('error', (error) => this.#failed(worker, error));
    worker.on('exit', () => this.#failed(worker, new Error('a compression worker ended')));
    return worker;
  }

  #finished(worker: Worker, done: CompressedBlock): void {
    const job = this.#busy.get(worker);
    this.#busy.delete(worker);
    worker.unref();
    this.#idle.push(worker);
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
