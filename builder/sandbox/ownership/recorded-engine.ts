import { closeSync, lstatSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { BuildError } from '../../../src/core/errors.ts';
import type { InodeOwner, PathOwner } from '../../../src/core/owner.ts';
import { workerFile } from '../../../src/core/worker.ts';
import { eventfd } from '../../../src/sys/descriptor.ts';
import { pidfdGetfd, pidfdOpen } from '../../../src/sys/pidfd.ts';
import { builtinEngine } from '../builtin.ts';
import type { Engine, SandboxPlan } from '../plan.ts';
import { supervisedCalls } from './calls.ts';
import { idsOf } from './credentials.ts';
import type { StepEnded, Supervised } from './ownership-worker.ts';

/**
 * The built-in engine where only one id exists: the calls that cannot work are answered by a supervisor, a thread of ours,
 * which records who files belong to (`Exit.journal`, and src/core/owner.ts).
 */
export function recordedEngine(): Engine {
  const supervisor = new Supervisor();
  const supervision = {
    rules: supervisedCalls,
    supervise: async (listener: Listener) => supervisor.take(listener),
  };
  const inner = builtinEngine({ supervision });
  return {
    name: inner.name,
    async run(plan, io, scratch, signal) {
      const recorded: SandboxPlan = { ...plan, ids: 'recorded' };
      const exit = await inner.run(recorded, io, scratch, signal);
      return { ...exit, journal: await supervisor.journalOf(recorded) };
    },
  };
}

interface Listener {
  readonly pid: number;
  readonly descriptor: number;
  readonly plan: SandboxPlan;
}

interface Running {
  readonly id: number;
  readonly listener: number;
  readonly ended: Promise<readonly InodeOwner[]>;
  readonly settle: (journal: readonly InodeOwner[] | Error) => void;
}

/** The supervising thread, started with the first step that needs it, and what it is asked to do. */
class Supervisor {
  readonly #steps = new Map<SandboxPlan, Running>();
  readonly #bell = eventfd();
  readonly #stopping = new Int32Array(new SharedArrayBuffer(4));
  readonly #running = new Set<number>();
  #worker: Worker | undefined;
  #count = 0;

  /** Takes a step's listener out of its first process. */
  take({ pid, descriptor, plan }: Listener): void {
    const process = pidfdOpen(pid);
    let listener: number;
    try {
      listener = pidfdGetfd(process, descriptor);
    } finally {
      closeSync(process);
    }
    const { uid, gid, groups } = plan.process;
    const credentials = { user: idsOf(uid), group: idsOf(gid), groups, keepsCapabilities: false };
    const id = this.#count++;
    this.#running.add(id);
    this.#steps.set(plan, { id, listener, ...deferred() });
    this.#worker ??= this.#start();
    this.#worker.ref();
    const known = inodesOf(plan.owners ?? []);
    this.#worker.postMessage({ id, listener, pid, credentials, known } satisfies Supervised);
    this.#ring();
  }

  /** What a finished step recorded of files that cannot carry it. Fails with `sandbox` where supervision ended before it. */
  async journalOf(plan: SandboxPlan): Promise<readonly InodeOwner[]> {
    const step = this.#steps.get(plan);
    if (step === undefined) return [];
    try {
      return await step.ended;
    } finally {
      this.#steps.delete(plan);
    }
  }

  #start(): Worker {
    const worker = new Worker(workerFile('ownership-worker'), {
      workerData: { bell: this.#bell, stopping: this.#stopping },
    });
    worker.on('message', (ended: StepEnded) => this.#settle(ended));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', (code) => this.#fail(new Error(`it ended with ${code}`)));
    // A thread that waits in a system call would keep the process from ending.
    process.once('exit', () => {
      Atomics.store(this.#stopping, 0, 1);
      this.#ring();
    });
    return worker;
  }

  #settle({ id, journal }: StepEnded): void {
    this.#running.delete(id);
    [...this.#steps.values()].find((step) => step.id === id)?.settle(journal);
    if (this.#running.size === 0) this.#worker?.unref();
  }

  /** Without its supervisor a step would wait for ever: its calls fail (ENOSYS) once the listener is closed. */
  #fail(cause: Error): void {
    this.#worker = undefined;
    for (const { listener, settle } of this.#steps.values()) {
      try {
        closeSync(listener);
      } catch {
        // The step had ended.
      }
      settle(new BuildError('sandbox', 'the thread that records owners failed', { cause }));
    }
  }

  #ring(): void {
    const one = Buffer.alloc(8);
    one.writeBigUInt64LE(1n);
    writeSync(this.#bell, one);
  }
}

function deferred(): Pick<Running, 'ended' | 'settle'> {
  let settle: Running['settle'] = () => {};
  const ended = new Promise<readonly InodeOwner[]>((resolve, reject) => {
    settle = (journal) => (journal instanceof Error ? reject(journal) : resolve(journal));
  });
  // Nobody asks where the step itself failed.
  ended.catch(() => {});
  return { ended, settle };
}

/** Files of the layers below, as the step will meet them. */
function inodesOf(owners: readonly PathOwner[]): InodeOwner[] {
  return owners.flatMap(({ path, owner }) => {
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? [] : [{ inode: String(stat.ino), born: String(stat.birthtimeNs), owner }];
  });
}
