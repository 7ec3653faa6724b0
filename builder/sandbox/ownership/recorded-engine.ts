import { closeSync, lstatSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { BuildError } from '../../../src/core/errors.ts';
import type { InodeOwner, PathOwner } from '../../../src/core/owner.ts';
import { workerFile } from '../../../src/core/worker.ts';
import { eventfd } from '../../../src/sys/descriptor.ts';
import { takeDescriptor } from '../../../src/sys/pidfd.ts';
import { builtinEngine } from '../builtin.ts';
import type { Engine, SandboxPlan } from '../plan.ts';
import type { FilterRule } from '../seccomp.ts';
import { ownerRules } from './calls.ts';
import { idsOf, rootCredentials } from './credentials.ts';
import type { StepEnded, Supervised } from './ownership-worker.ts';
import type { Recording } from './recording.ts';

/**
 * The built-in engine where only one id exists: the calls that cannot work are answered by a supervisor, a thread of ours,
 * which records who files belong to (`Exit.journal`, and src/core/owner.ts), as far as `recording` says that it can.
 */
export function recordedEngine(recording: Recording): Engine {
  const rules = ownerRules[recording];
  if (recording === 'nothing') return feigningEngine(rules);
  const supervisor = new Supervisor(recording);
  const supervise = async (listener: Listener): Promise<void> => supervisor.take(listener);
  const inner = builtinEngine({ supervision: { rules, supervise } });
  return {
    name: inner.name,
    async run(plan, io, scratch, signal) {
      const recorded: SandboxPlan = { ...plan, ids: 'recorded' };
      const exit = await inner.run(recorded, io, scratch, signal);
      const journal = await supervisor.journalOf(recorded);
      return { ...exit, journal, ...(recording === 'files' && { made: plan.process }) };
    },
  };
}

/** Without a supervisor: nothing is recorded, and files are taken for those of the step's user. */
function feigningEngine(rules: readonly FilterRule[]): Engine {
  const inner = builtinEngine({ supervision: { rules } });
  return {
    name: inner.name,
    async run(plan, io, scratch, signal) {
      const exit = await inner.run({ ...plan, ids: 'feigned' }, io, scratch, signal);
      return { ...exit, journal: [], made: plan.process };
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
  /** Open until the supervisor says that the step has ended, or has ended itself. */
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
  readonly #recording: Recording;
  #worker: Worker | undefined;
  #count = 0;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** Takes a step's listener out of its first process. */
  take({ pid, descriptor, plan }: Listener): void {
    const listener = takeDescriptor(pid, descriptor);
    const { uid, gid, groups } = plan.process;
    const credentials =
      this.#recording === 'files'
        ? rootCredentials
        : { user: idsOf(uid), group: idsOf(gid), groups, keepsCapabilities: false };
    const id = this.#count++;
    this.#running.add(id);
    this.#steps.set(plan, { id, listener, ...deferred() });
    this.#worker ??= this.#start();
    this.#worker.ref();
    const known = [...inodesOf(plan.owners ?? []), ...(plan.journal ?? [])];
    const overlaid = 'lower' in plan.root;
    this.#worker.postMessage({ id, listener, pid, credentials, known, overlaid } satisfies Supervised);
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
    const step = [...this.#steps.values()].find((one) => one.id === id);
    if (step === undefined || !this.#running.delete(id)) return;
    closeSync(step.listener);
    step.settle(journal);
    if (this.#running.size === 0) this.#worker?.unref();
  }

  /** Without its supervisor a step would wait for ever: its calls fail (ENOSYS) once the listener is closed. */
  #fail(cause: Error): void {
    this.#worker = undefined;
    for (const { id, listener, settle } of this.#steps.values()) {
      if (!this.#running.delete(id)) continue;
      closeSync(listener);
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
