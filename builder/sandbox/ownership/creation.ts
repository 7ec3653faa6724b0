import type { Device } from '../../../src/core/owner.ts';
import {
  AT_FDCWD,
  close,
  mkdirat,
  mknodat,
  O_CLOEXEC,
  O_PATH,
  openat,
  symlinkat,
} from '../../../src/sys/descriptor.ts';
import { majorMinor } from '../../../src/sys/file.ts';
import { type Answer, at, type Notification } from './notification.ts';
import { statusField } from './peer.ts';
import type { Step } from './step.ts';

const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_WRONLY = 1;
const O_TRUNC = 0o1000;
const O_NOFOLLOW = process.arch === 'arm64' ? 0o100000 : 0o400000;
const SETGID = 0o2000;
const TYPE = 0o170000;
const CHARACTER_DEVICE = 0o020000;
const FIFO = 0o010000;
const ENOENT = 2;

/** A new name in a folder. */
interface Place {
  readonly folder: number;
  readonly name: string;
}

interface NewArguments {
  readonly fd?: number;
  readonly path: number;
}

/** The folder of the name that a call is about, opened; a negative errno where there is none. */
function placeOf(call: Notification, { peer }: Step, which: NewArguments): Place | number {
  const path = peer.text(call.pid, call.word(which.path));
  if (typeof path === 'number') return path;
  const plain = path.replace(/(.)\/+$/, '$1');
  const slash = plain.lastIndexOf('/');
  const name = plain.slice(slash + 1);
  if (['', '.', '..'].includes(name)) return -ENOENT;
  const parent = slash < 0 ? '.' : plain.slice(0, slash) || '/';
  const from = which.fd === undefined ? AT_FDCWD : call.descriptor(which.fd);
  const folder = peer.open(call.pid, from, parent, { follow: true, directory: true });
  return folder < 0 ? folder : { folder, name };
}

interface DeviceArguments extends NewArguments {
  readonly mode: number;
  readonly device: number;
}

/** An empty file stands for a device, and says that it is one; a fifo is real. */
export function makeNode(call: Notification, step: Step, which: DeviceArguments): Answer {
  if ((call.number(which.mode) & TYPE) === FIFO) return create(call, step, { ...which, kind: 'fifo' });
  const place = placeOf(call, step, which);
  if (typeof place === 'number') return place;
  try {
    if (!call.isWaiting()) return -ENOENT;
    const mode = call.number(which.mode);
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const fd = openat(place.folder, step.peer.put(place.name, at.name), flags, permissions(call, mode));
    if (fd < 0) return fd;
    const type: Device['type'] = (mode & TYPE) === CHARACTER_DEVICE ? 'char' : 'block';
    const device = { type, ...majorMinor(call.number(which.device)) };
    step.records.keep(fd, { ...newOwner(call, step, place.folder), device });
    close(fd);
    return 0;
  } finally {
    close(place.folder);
  }
}

interface FileArguments extends NewArguments {
  readonly kind: 'file' | 'directory' | 'link' | 'fifo';
  readonly flags?: number;
  readonly mode?: number;
  readonly target?: number;
}

/** Makes what a process makes that is not root, for it to be its own; what is root's or there already is the kernel's. */
export function create(call: Notification, step: Step, which: FileArguments): Answer {
  const { user, group } = step.processes.of(call.pid);
  if (step.processes.allRoot) return 'continue';
  const place = placeOf(call, step, which);
  if (typeof place === 'number') return 'continue';
  try {
    const parent = step.peer.stateOf(place.folder);
    const plain = user.file === 0 && group.file === 0 && ((parent?.mode ?? 0) & SETGID) === 0;
    if (plain || step.peer.stateAt(place.folder, place.name) !== undefined) return 'continue';
    if (!call.isWaiting()) return -ENOENT;
    return createIn(call, step, { place, which });
  } finally {
    close(place.folder);
  }
}

interface Wanted {
  readonly place: Place;
  readonly which: FileArguments;
}

function createFile(call: Notification, step: Step, { place, which }: Wanted): Answer {
  const asked = which.flags === undefined ? O_WRONLY | O_TRUNC : call.number(which.flags);
  const mode = permissions(call, call.number(which.mode!));
  const flags = asked | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  const fd = openat(place.folder, step.peer.put(place.name, at.name), flags, mode);
  if (fd < 0) return fd;
  step.records.keep(fd, newOwner(call, step, place.folder));
  const answer = call.answerDescriptor(fd, asked & O_CLOEXEC);
  close(fd);
  return answer;
}

function createIn(call: Notification, step: Step, { place, which }: Wanted): Answer {
  const { kind } = which;
  if (kind === 'file') return createFile(call, step, { place, which });
  const make = { directory: makeFolder, link: makeLink, fifo: makeFifo }[kind];
  const result = make(call, step, { place, which });
  if (result < 0) return result;
  const name = step.peer.put(place.name, at.name);
  const fd = openat(place.folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fd;
  step.records.keep(fd, newOwner(call, step, place.folder));
  close(fd);
  return 0;
}

function makeFifo(call: Notification, { peer }: Step, { place, which }: Wanted): number {
  const mode = FIFO | permissions(call, call.number(which.mode!));
  return mknodat(place.folder, peer.put(place.name, at.name), mode);
}

function makeFolder(call: Notification, { peer }: Step, { place, which }: Wanted): number {
  return mkdirat(place.folder, peer.put(place.name, at.name), permissions(call, call.number(which.mode!)));
}

function makeLink(call: Notification, { peer }: Step, { place, which }: Wanted): number {
  const target = peer.text(call.pid, call.word(which.target!));
  if (typeof target === 'number') return target;
  const name = peer.put(place.name, at.name);
  return symlinkat(peer.put(target, at.more), place.folder, name);
}

/** A file belongs to who makes it, in a setgid folder to the folder's group. */
function newOwner(call: Notification, { peer, processes, records }: Step, folder: number) {
  const { user, group } = processes.of(call.pid);
  const parent = peer.stateOf(folder);
  if (parent === undefined || (parent.mode & SETGID) === 0) return { uid: user.file, gid: group.file };
  return { uid: user.file, gid: records.find(folder, parent)?.gid ?? 0 };
}

/** This thread's own umask is 0. */
function permissions({ pid }: Notification, mode: number): number {
  return mode & 0o7777 & ~Number.parseInt(statusField(pid, 'Umask') ?? '22', 8);
}
