import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AT_FDCWD, close, poll } from '../../../src/sys/descriptor.ts';
import { takeDescriptor } from '../../../src/sys/pidfd.ts';
import { compileFilter } from '../filter.ts';
import { assemble, type Program } from '../program/assemble.ts';
import { call, from } from '../program/calls.ts';
import { messages, openToUs } from '../program/namespaces.ts';
import { dieWithUs, message, start, tell } from '../program/start.ts';
import { listenedFilter } from '../step-process.ts';
import { at, makeArena, Notification } from './notification.ts';
import { Peer } from './peer.ts';
import type { Recordable } from './recording.ts';

let found: Promise<Recordable> | undefined;

/** What can be recorded here, found once by doing it: a child makes calls that we answer in each of the ways. */
export function recordingHere(): Promise<Recordable> {
  found ??= probe();
  return found;
}

async function probe(): Promise<Recordable> {
  const folder = ownFolder();
  try {
    return await superviseChild(folder ?? NOWHERE);
  } catch (error) {
    return nothing((error as Error).message);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

const NOWHERE = '/nonexistent';

/** Where nothing can be written it is done without: few machines need it (program/start). */
function ownFolder(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'tsbuild-probe-'));
  } catch {
    return undefined;
  }
}

function superviseChild(folder: string): Promise<Recordable> {
  return new Promise((resolve, reject) => {
    let told = nothing('it could not be tried');
    const { child } = start(supervisedProgram(), {
      stdio: ['ignore', 'ignore', 'ignore'],
      folder,
      failed: ({ errno }) => {
        told = nothing(whyRefused(errno));
      },
      told: (_, descriptor) => {
        told = answerChild(child.pid!, descriptor);
        child.kill('SIGKILL');
      },
    });
    child.once('error', reject);
    child.once('close', () => resolve(told));
  });
}

/** Asks three times whether the root is there; it waits for each answer. */
function supervisedProgram(): Program {
  const listener = message(messages.listener);
  const filter = compileFilter([
    { names: ['faccessat'], action: 'notify' },
    { names: ['write', 'exit_group', 'seccomp'], action: 'allow' },
  ]);
  const ask = call('faccessat', [AT_FDCWD, '/', 0], { tolerate: 'all' });
  return assemble([
    ...dieWithUs(),
    openToUs,
    ...listenedFilter(filter, from(listener, 8)),
    tell(listener),
    ask,
    ask,
    ask,
    call('exit_group', [0]),
  ]);
}

function whyRefused(errno: string): string {
  if (errno === 'EBUSY') return 'another supervisor listens to the system calls of this process already';
  if (errno === 'EINVAL' || errno === 'ENOSYS')
    return 'the kernel hands no system calls over to a supervisor';
  return `the system refuses a supervisor of system calls: ${errno}`;
}

const ENOENT = 2;

/** Answers the child in the ways of a supervisor: from its memory and root, by leave to go on, with a descriptor. */
function answerChild(pid: number, descriptor: number): Recordable {
  let listener: number;
  try {
    listener = takeDescriptor(pid, descriptor);
  } catch (error) {
    return nothing(`processes cannot be reached: ${(error as Error).message}`);
  }
  try {
    return answerAll(listener);
  } finally {
    close(listener);
  }
}

function answerAll(listener: number): Recordable {
  const memory = makeArena();
  const asked = new Notification(memory);
  let events = 0;
  const next = (): boolean => {
    do events = eventsOf(listener, memory);
    while ((events & POLLIN) !== 0 && !asked.receive(listener));
    return (events & POLLIN) !== 0;
  };
  const found = answerEach({ listener, next, asked, peer: new Peer(memory) });
  while (next()) asked.answer(-ENOENT);
  if (found.recording === 'nothing' || (events & POLLHUP) !== 0) return found;
  return nothing('the kernel does not tell when processes have ended: that takes 5.9');
}

interface Trial {
  readonly listener: number;
  /** Takes the next call. */
  readonly next: () => boolean;
  readonly asked: Notification;
  readonly peer: Peer;
}

function answerEach({ listener, next, asked, peer }: Trial): Recordable {
  if (!next()) return nothing('no call arrives');
  const path = peer.text(asked.pid, asked.word(1));
  const root = path === '/' ? peer.open(asked.pid, AT_FDCWD, path, { follow: true, directory: true }) : -1;
  if (root >= 0) close(root);
  if (root < 0 || asked.answer(-ENOENT) < 0) {
    asked.answer(-ENOENT);
    return nothing(`${path === '/' ? 'files' : 'the memory'} of other processes cannot be reached`);
  }
  if (next() && asked.answer('continue') < 0) {
    asked.answer(-ENOENT);
    return files('the kernel does not let a call go on once it was seen: that takes 5.5');
  }
  if (next() && asked.answerDescriptor(listener, 0) !== 'sent') {
    asked.answer(-ENOENT);
    return files('the kernel does not answer a call with a descriptor: that takes 5.14');
  }
  return { recording: 'all' };
}

const POLLIN = 1;
const POLLHUP = 16;
const EINTR = 4;
/** Longer than any answer takes; only what never comes is waited for so long. */
const PATIENCE_MS = 10_000;

function eventsOf(listener: number, { address, bytes }: ReturnType<typeof makeArena>): number {
  bytes.writeInt32LE(listener, at.poll);
  bytes.writeUInt32LE(POLLIN, at.poll + 4);
  let ready: number;
  do ready = poll(address + at.poll, 1, PATIENCE_MS);
  while (ready === -EINTR);
  return ready > 0 ? bytes.readUInt16LE(at.poll + 6) : 0;
}

function nothing(why: string): Recordable {
  return { recording: 'nothing', why };
}

function files(why: string): Recordable {
  return { recording: 'files', why };
}
