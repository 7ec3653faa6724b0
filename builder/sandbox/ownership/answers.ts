import type { Owner } from '../../../src/core/owner.ts';
import { AT_EMPTY_PATH, close, fstat, statx } from '../../../src/sys/descriptor.ts';
import { makedev } from '../../../src/sys/file.ts';
import { create, makeNode } from './creation.ts';
import { answerIds } from './ids.ts';
import { beforeMove } from './moves.ts';
import { type Answer, at, type Notification } from './notification.ts';
import { KEEP } from './records.ts';
import { type FileArguments, openNamed, type Step } from './step.ts';

const EPERM = 1;
const ENOENT = 2;

/** What becomes of a call of a supervised process. */
export function answerOf(call: Notification, step: Step): Answer {
  const { name } = call;
  if (name === undefined) return 'continue';
  const handler = handlers[name];
  return handler === undefined ? answerIds(name, call, step) : handler(call, step);
}

type Handler = (call: Notification, step: Step) => Answer;

const handlers: Readonly<Record<string, Handler>> = {
  chown: (call, step) => changeOwner(call, step, { path: 0, follow: true }),
  lchown: (call, step) => changeOwner(call, step, { path: 0, follow: false }),
  fchown: (call, step) => changeOwner(call, step, { fd: 0 }),
  fchownat: (call, step) => changeOwner(call, step, { fd: 0, path: 1, flags: 4 }),
  stat: (call, step) => tellState(call, step, { path: 0, follow: true, into: 1 }),
  lstat: (call, step) => tellState(call, step, { path: 0, follow: false, into: 1 }),
  fstat: (call, step) => tellState(call, step, { fd: 0, into: 1 }),
  newfstatat: (call, step) => tellState(call, step, { fd: 0, path: 1, flags: 3, into: 2 }),
  statx: (call, step) => tellState(call, step, { fd: 0, path: 1, flags: 2, into: 4 }),
  mknod: (call, step) => makeNode(call, step, { path: 0, mode: 1, device: 2 }),
  mknodat: (call, step) => makeNode(call, step, { fd: 0, path: 1, mode: 2, device: 3 }),
  open: (call, step) => create(call, step, { kind: 'file', path: 0, flags: 1, mode: 2 }),
  openat: (call, step) => create(call, step, { kind: 'file', fd: 0, path: 1, flags: 2, mode: 3 }),
  openat2: (call, step) => create(call, step, { kind: 'file', fd: 0, path: 1, how: 2 }),
  creat: (call, step) => create(call, step, { kind: 'file', path: 0, mode: 1 }),
  mkdir: (call, step) => create(call, step, { kind: 'directory', path: 0, mode: 1 }),
  mkdirat: (call, step) => create(call, step, { kind: 'directory', fd: 0, path: 1, mode: 2 }),
  symlink: (call, step) => create(call, step, { kind: 'link', target: 0, path: 1 }),
  symlinkat: (call, step) => create(call, step, { kind: 'link', target: 0, fd: 1, path: 2 }),
  rename: (call, step) => beforeMove(call, step, [{ path: 0 }]),
  renameat: (call, step) => beforeMove(call, step, [{ fd: 0, path: 1 }]),
  // Of two that are exchanged each is moved.
  renameat2: (call, step) =>
    beforeMove(call, step, [
      { fd: 0, path: 1 },
      { fd: 2, path: 3 },
    ]),
  link: (call, step) => beforeMove(call, step, [{ path: 0 }]),
  linkat: (call, step) => beforeMove(call, step, [{ fd: 0, path: 1 }]),
};

/** The ids come before the flags, in the last arguments. */
function changeOwner(call: Notification, step: Step, which: FileArguments): Answer {
  const first = which.path === undefined ? 1 : which.path + 1;
  const fd = openNamed(call, step, which);
  if (fd < 0) return fd;
  try {
    if (!call.isWaiting()) return -ENOENT;
    const to = { uid: call.number(first), gid: call.number(first + 1) };
    return mayGive(fd, call, step, to) ? step.records.change(fd, to.uid, to.gid) : -EPERM;
  } finally {
    close(fd);
  }
}

/** Who is not root gives nothing away, and a file of its own to its groups alone. */
function mayGive(
  fd: number,
  call: Notification,
  { peer, processes, records }: Step,
  to: Pick<Owner, 'uid' | 'gid'>,
): boolean {
  const { user, group, groups } = processes.of(call.pid);
  if (user.effective === 0) return true;
  const file = peer.stateOf(fd);
  const owner = (file && records.find(fd, file)?.uid) ?? 0;
  return (
    owner === user.file && [KEEP, owner].includes(to.uid) && [KEEP, group.file, ...groups].includes(to.gid)
  );
}

interface StateArguments extends FileArguments {
  /** Where the struct goes. */
  readonly into: number;
}

/** Most files are what they seem: of these the kernel tells, errors included. */
function tellState(call: Notification, step: Step, which: StateArguments): Answer {
  if (!call.isNative && call.name !== 'statx') return 'continue';
  const fd = openNamed(call, step, which);
  if (fd < 0) return 'continue';
  try {
    const file = step.peer.stateOf(fd);
    const owner = file === undefined ? undefined : step.records.find(fd, file);
    if (owner === undefined) return 'continue';
    const length = call.name === 'statx' ? fillStatx(fd, call, step, owner) : fillStat(fd, step, owner);
    if (length < 0 || !call.isWaiting()) return 'continue';
    const offset = call.name === 'statx' ? at.statx : at.stat;
    return step.peer.memory.write(call.pid, call.word(which.into), { offset, length }) ? 0 : 'continue';
  } finally {
    close(fd);
  }
}

const SYNC_FLAGS = 0x6000;
const STATX_BYTES = 256;
const DEVICE_TYPES = { char: 0o020000, block: 0o060000 };

function fillStatx(fd: number, call: Notification, { arena, peer }: Step, owner: Owner): number {
  const flags = AT_EMPTY_PATH | (call.number(2) & SYNC_FLAGS);
  const options = { flags, mask: call.number(3), into: arena.address + at.statx };
  if (statx(fd, peer.put('', at.empty), options) < 0) return -1;
  const { bytes } = arena;
  bytes.writeUInt32LE(owner.uid, at.statx + 20);
  bytes.writeUInt32LE(owner.gid, at.statx + 24);
  if (owner.device === undefined) return STATX_BYTES;
  const mode = (bytes.readUInt16LE(at.statx + 28) & 0o7777) | DEVICE_TYPES[owner.device.type];
  bytes.writeUInt16LE(mode, at.statx + 28);
  bytes.writeUInt32LE(owner.device.major, at.statx + 128);
  bytes.writeUInt32LE(owner.device.minor, at.statx + 132);
  return STATX_BYTES;
}

/** Offsets in struct stat of asm/stat.h, and its size. */
const layouts: Readonly<Record<string, { mode: number; uid: number; device: number; size: number }>> = {
  x64: { mode: 24, uid: 28, device: 40, size: 144 },
  arm64: { mode: 16, uid: 24, device: 32, size: 128 },
};

function fillStat(fd: number, { arena }: Step, owner: Owner): number {
  const layout = layouts[process.arch];
  if (layout === undefined || fstat(fd, arena.address + at.stat) < 0) return -1;
  const { bytes } = arena;
  bytes.writeUInt32LE(owner.uid, at.stat + layout.uid);
  bytes.writeUInt32LE(owner.gid, at.stat + layout.uid + 4);
  if (owner.device === undefined) return layout.size;
  const mode = (bytes.readUInt32LE(at.stat + layout.mode) & 0o7777) | DEVICE_TYPES[owner.device.type];
  bytes.writeUInt32LE(mode, at.stat + layout.mode);
  bytes.writeBigUInt64LE(makedev(owner.device.major, owner.device.minor), at.stat + layout.device);
  return layout.size;
}
