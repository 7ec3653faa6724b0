import type { Device } from '../../../src/core/owner.ts';
import {
  close,
  mkdirat,
  mknodat,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  O_UNNAMED,
  openat,
  symlinkat,
} from '../../../src/sys/descriptor.ts';
import { majorMinor } from '../../../src/sys/file.ts';
import { type Answer, at, type Notification } from './notification.ts';
import { type Place, type PlaceArguments, placeOf } from './place.ts';
import { openNamed, type Step } from './step.ts';

const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_WRONLY = 1;
const O_TRUNC = 0o1000;
const SETGID = 0o2000;
const TYPE = 0o170000;
const CHARACTER_DEVICE = 0o020000;
const BLOCK_DEVICE = 0o060000;
const ENOENT = 2;
const EEXIST = 17;

interface NodeArguments extends PlaceArguments {
  readonly mode: number;
  readonly device: number;
}

/** An empty file stands for a device, and says that it is one; other nodes are real. */
export function makeNode(call: Notification, step: Step, which: NodeArguments): Answer {
  const mode = call.number(which.mode);
  const type = mode & TYPE;
  if (type !== CHARACTER_DEVICE && type !== BLOCK_DEVICE)
    return create(call, step, { ...which, kind: 'node' });
  const place = placeOf(call, step, which);
  if (typeof place === 'number') return place;
  try {
    if (!call.isWaiting()) return -ENOENT;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const name = step.peer.put(place.name, at.name);
    const fd = openat(place.folder, name, flags, permissions(call, step, { place, mode }));
    if (fd < 0) return fd;
    const device: Device = {
      type: type === CHARACTER_DEVICE ? 'char' : 'block',
      ...majorMinor(call.number(which.device)),
    };
    step.records.keep(fd, { ...newOwner(call, step, place.folder), device });
    close(fd);
    return 0;
  } finally {
    close(place.folder);
  }
}

interface NewArguments extends PlaceArguments {
  readonly kind: 'file' | 'directory' | 'link' | 'node';
  readonly flags?: number;
  readonly mode?: number;
  readonly target?: number;
  /** Of a struct open_how; its size follows. */
  readonly how?: number;
}

/** What of a call says how the file shall be. */
interface Asked {
  readonly flags: number;
  readonly mode: number;
  readonly resolve: number;
}

/** Makes what a process makes that is not root, for it to be its own; what is root's or there already is the kernel's. */
export function create(call: Notification, step: Step, which: NewArguments): Answer {
  const { user, group } = step.processes.of(call.pid);
  const asked = askedOf(call, step, which);
  if (asked === undefined) return 'continue';
  const place = isUnnamed(asked) ? folderOf(call, step, which) : placeOf(call, step, { ...which, ...asked });
  if (typeof place === 'number') return 'continue';
  try {
    const parent = step.peer.stateOf(place.folder);
    const plain = user.file === 0 && group.file === 0 && ((parent?.mode ?? 0) & SETGID) === 0;
    if (plain || (!isUnnamed(asked) && step.peer.stateAt(place.folder, place.name) !== undefined))
      return 'continue';
    if (!call.isWaiting()) return -ENOENT;
    return createIn(call, step, { place, which, asked });
  } finally {
    close(place.folder);
  }
}

const HOW_BYTES = 24;

/** Undefined where the call makes nothing. What is taken from memory is read once, and decided by that copy. */
function askedOf(call: Notification, { arena, peer }: Step, which: NewArguments): Asked | undefined {
  const { kind, flags, mode, how } = which;
  if (how === undefined) {
    const plain = kind === 'file' ? O_CREAT | O_WRONLY | O_TRUNC : 0;
    return {
      flags: flags === undefined ? plain : call.number(flags),
      mode: mode === undefined ? 0 : call.number(mode),
      resolve: 0,
    };
  }
  if (call.number(how + 1) !== HOW_BYTES) return undefined;
  const into = { offset: at.more, length: HOW_BYTES };
  if (peer.memory.read(call.pid, call.word(how), into) !== HOW_BYTES) return undefined;
  const [first, second, third] = [0, 8, 16].map((offset) => arena.bytes.readBigUInt64LE(at.more + offset));
  // What goes beyond these bits is wrong, and the kernel says so.
  if ([first!, second!, third!].some((word) => word >= 2n ** 31n) || second! > 0o7777n) return undefined;
  const asked = { flags: Number(first), mode: Number(second), resolve: Number(third) };
  return (asked.flags & (O_CREAT | O_UNNAMED)) === 0 ? undefined : asked;
}

/** A file without a name, in the folder that the call names (O_TMPFILE). */
function isUnnamed({ flags }: Asked): boolean {
  return (flags & (O_CREAT | O_UNNAMED)) === O_UNNAMED;
}

function folderOf(call: Notification, step: Step, { fd, path }: NewArguments): Place | number {
  const folder = openNamed(call, step, { ...(fd !== undefined && { fd }), path, follow: true });
  return folder < 0 ? folder : { folder, name: '.' };
}

interface Wanted {
  readonly place: Place;
  readonly which: NewArguments;
  readonly asked: Asked;
}

function createIn(call: Notification, step: Step, wanted: Wanted): Answer {
  const { place, which } = wanted;
  if (which.kind === 'file') return createFile(call, step, wanted);
  const make = { directory: makeFolder, link: makeLink, node: makeReal }[which.kind];
  const result = make(call, step, wanted);
  if (result < 0) return result;
  const name = step.peer.put(place.name, at.name);
  const fd = openat(place.folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fd;
  step.records.keep(fd, newOwner(call, step, place.folder));
  close(fd);
  return 0;
}

/** Never opens what another process has made there meanwhile: of a fifo that would wait, and all other calls with it. */
function createFile(call: Notification, step: Step, { place, asked }: Wanted): Answer {
  const mode = permissions(call, step, { place, mode: asked.mode });
  const flags = asked.flags | O_NOFOLLOW | O_CLOEXEC | (isUnnamed(asked) ? 0 : O_EXCL);
  const fd = openat(place.folder, step.peer.put(place.name, at.name), flags, mode);
  // Then it is there already, and the kernel's.
  if (fd === -EEXIST) return 'continue';
  if (fd < 0) return fd;
  step.records.keep(fd, newOwner(call, step, place.folder));
  const answer = call.answerDescriptor(fd, asked.flags & O_CLOEXEC);
  close(fd);
  return answer;
}

function makeReal(call: Notification, step: Step, { place, asked }: Wanted): number {
  const mode = (asked.mode & TYPE) | permissions(call, step, { place, mode: asked.mode });
  return mknodat(place.folder, step.peer.put(place.name, at.name), mode);
}

function makeFolder(call: Notification, step: Step, { place, asked }: Wanted): number {
  const mode = permissions(call, step, { place, mode: asked.mode });
  return mkdirat(place.folder, step.peer.put(place.name, at.name), mode);
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

/** This thread's own umask is 0. A folder that hands an access list on takes the place of a umask. */
function permissions(
  { pid }: Notification,
  { peer }: Step,
  { place, mode }: { readonly place: Place; readonly mode: number },
): number {
  if (peer.hasAttribute(place.folder, 'system.posix_acl_default')) return mode & 0o7777;
  return mode & 0o7777 & ~Number.parseInt(peer.proc.statusField(pid, 'Umask') ?? '22', 8);
}
