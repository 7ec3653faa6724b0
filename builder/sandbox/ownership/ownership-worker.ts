import { readSync } from 'node:fs';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { InodeOwner } from '../../../src/core/owner.ts';
import { poll, separateUmask } from '../../../src/sys/descriptor.ts';
import { wakeAtOnce } from '../../../src/sys/notify.ts';
import { answerOf } from './answers.ts';
import { type Credentials, Processes } from './credentials.ts';
import { at, makeArena, Notification } from './notification.ts';
import { Peer } from './peer.ts';
import { Records } from './records.ts';
import type { Step } from './step.ts';

/** A step to supervise. */
export interface Supervised {
  readonly id: number;
  readonly listener: number;
  /** The first process. */
  readonly pid: number;
  readonly credentials: Credentials;
  /** What is known of files that cannot carry it. */
  readonly known: readonly InodeOwner[];
  /** These lie in layers below, and not in a copy of them. */
  readonly overlaid: boolean;
}

/** The step's last process is gone. */
export interface StepEnded {
  readonly id: number;
  readonly journal: readonly InodeOwner[];
}

/** Worker thread: answers the calls of all running steps, one after the other. */
const port = parentPort!;
const { bell, stopping } = workerData as { readonly bell: number; readonly stopping: Int32Array };
const memory = makeArena();
const peer = new Peer(memory);
const call = new Notification(memory);
const running = new Map<number, Step & { readonly id: number }>();
const POLL_BYTES = 8;
const MOST_STEPS = (at.statx - at.poll) / POLL_BYTES - 1;
const POLLIN = 1;
const EIO = 5;
const EINTR = -4;
const IDLE_MS = 1000;

separateUmask();
port.on('message', (step: Supervised) => {
  add(step);
  answerAll();
});

function add({ id, listener, pid, credentials, known, overlaid }: Supervised): void {
  wakeAtOnce(listener);
  const records = new Records(memory, peer, { known, overlaid });
  running.set(listener, {
    id,
    arena: memory,
    peer,
    records,
    processes: new Processes(pid, credentials, peer.proc),
  });
}

/** Returns to the event loop only when no step runs: what comes meanwhile is told by the bell. */
function answerAll(): void {
  while (running.size > 0 && Atomics.load(stopping, 0) === 0) {
    const listeners = [...running.keys()].slice(0, MOST_STEPS);
    const ready = wait([bell, ...listeners]);
    if (ready[0] !== 0) takeMore();
    for (const [index, listener] of listeners.entries()) serve(listener, ready[index + 1]!);
  }
}

/** What poll(2) says of each descriptor. */
function wait(descriptors: readonly number[]): readonly number[] {
  const { bytes, address } = memory;
  for (const [index, fd] of descriptors.entries()) {
    bytes.writeInt32LE(fd, at.poll + POLL_BYTES * index);
    bytes.writeUInt32LE(POLLIN, at.poll + POLL_BYTES * index + 4);
  }
  const result = poll(address + at.poll, descriptors.length, IDLE_MS);
  if (result < 0 && result !== EINTR) throw new Error(`poll failed with ${-result}`);
  if (result <= 0) return descriptors.map(() => 0);
  return descriptors.map((_, index) => bytes.readUInt16LE(at.poll + POLL_BYTES * index + 6));
}

function takeMore(): void {
  readSync(bell, Buffer.alloc(8));
  for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
    add(more.message as Supervised);
  }
}

/** A hang-up without calls means that all processes are gone. */
function serve(listener: number, events: number): void {
  if (events === 0) return;
  const step = running.get(listener)!;
  if ((events & POLLIN) === 0) {
    running.delete(listener);
    port.postMessage({ id: step.id, journal: step.records.journal } satisfies StepEnded);
    return;
  }
  if (!call.receive(listener)) return;
  try {
    call.answer(answerOf(call, step));
  } catch {
    call.answer(-EIO);
  }
}
