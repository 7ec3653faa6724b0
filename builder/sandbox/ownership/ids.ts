import { rootOwner } from '../../../src/core/owner.ts';
import { close } from '../../../src/sys/descriptor.ts';
import { type Credentials, type Ids, setAll, setThree, setTwo } from './credentials.ts';
import { type Answer, at, type Notification } from './notification.ts';
import { KEEP } from './records.ts';
import { openNamed, type Step } from './step.ts';

const EPERM = 1;
const EFAULT = 14;
const EINVAL = 22;
const MOST_GROUPS = 1024;
const SETUID = 0o4000;
const SETGID = 0o2000;
const GROUP_EXECUTES = 0o010;
const REGULAR = 0o100000;
const TYPE = 0o170000;

/** Calls about who a process is. What is none of them the kernel does. */
export function answerIds(name: string, call: Notification, step: Step): Answer {
  const own = (): Credentials => step.processes.of(call.pid);
  switch (name) {
    case 'getuid':
      return own().user.real;
    case 'geteuid':
      return own().user.effective;
    case 'getgid':
      return own().group.real;
    case 'getegid':
      return own().group.effective;
    case 'getresuid':
      return tellThree(call, step, own().user);
    case 'getresgid':
      return tellThree(call, step, own().group);
    case 'getgroups':
      return tellGroups(call, step, own().groups);
    case 'setgroups':
      return setGroups(call, step);
    case 'prctl':
      return keepCapabilities(call, step);
    case 'execve':
      return execute(call, step, { path: 0, follow: true });
    case 'execveat':
      return execute(call, step, { fd: 0, path: 1, flags: 4 });
    default:
      return setIds(name, call, step);
  }
}

/** The kind of ids that a call sets, and how. */
const setters: Readonly<
  Record<
    string,
    readonly [
      kind: 'user' | 'group',
      set: (ids: Ids, call: Notification, privileged: boolean) => Ids | number,
    ]
  >
> = {
  setuid: ['user', (ids, call, privileged) => setAll(ids, call.number(0), privileged)],
  setgid: ['group', (ids, call, privileged) => setAll(ids, call.number(0), privileged)],
  setreuid: ['user', (ids, call, privileged) => setTwo(ids, [call.number(0), call.number(1)], privileged)],
  setregid: ['group', (ids, call, privileged) => setTwo(ids, [call.number(0), call.number(1)], privileged)],
  setresuid: ['user', (ids, call, privileged) => setThree(ids, threeOf(call), privileged)],
  setresgid: ['group', (ids, call, privileged) => setThree(ids, threeOf(call), privileged)],
};

function threeOf(call: Notification): [number, number, number] {
  return [call.number(0), call.number(1), call.number(2)];
}

function setIds(name: string, call: Notification, step: Step): Answer {
  if (name === 'setfsuid' || name === 'setfsgid')
    return setFileId(name === 'setfsuid' ? 'user' : 'group', call, step);
  const setter = setters[name];
  if (setter === undefined) return 'continue';
  const [kind, set] = setter;
  return step.processes.change(call.pid, (old) => {
    const ids = set(old[kind], call, isPrivileged(old));
    return typeof ids === 'number' ? ids : { ...old, [kind]: ids };
  });
}

/** Answers with what it was before, whether or not it may be changed. */
function setFileId(kind: 'user' | 'group', call: Notification, step: Step): Answer {
  const id = call.number(0);
  const before = step.processes.of(call.pid)[kind];
  const allowed =
    isPrivileged(step.processes.of(call.pid)) || [before.real, before.effective, before.saved].includes(id);
  if (id !== KEEP && allowed)
    step.processes.change(call.pid, (old) => ({ ...old, [kind]: { ...old[kind], file: id } }));
  return before.file;
}

function isPrivileged({ user, keepsCapabilities }: Credentials): boolean {
  return user.effective === 0 || keepsCapabilities;
}

function tellThree(call: Notification, step: Step, ids: Ids): Answer {
  const values = [ids.real, ids.effective, ids.saved];
  return values.every((id, index) => writeNumbers(step, call, { address: call.word(index), values: [id] }))
    ? 0
    : -EFAULT;
}

function tellGroups(call: Notification, step: Step, groups: readonly number[]): Answer {
  const room = call.descriptor(0);
  if (room === 0) return groups.length;
  if (room < groups.length) return -EINVAL;
  return writeNumbers(step, call, { address: call.word(1), values: groups }) ? groups.length : -EFAULT;
}

function setGroups(call: Notification, step: Step): Answer {
  const count = call.number(0);
  if (count > MOST_GROUPS) return -EINVAL;
  const length = count * 4;
  const read = length === 0 ? 0 : step.peer.memory.read(call.pid, call.word(1), { offset: at.more, length });
  if (read !== length) return -EFAULT;
  const written = Array.from({ length: count }, (_, i) => step.arena.bytes.readUInt32LE(at.more + 4 * i));
  // As the kernel keeps them.
  const groups = written.sort((a, b) => a - b);
  return step.processes.change(call.pid, (old) => (isPrivileged(old) ? { ...old, groups } : -EPERM));
}

/** The kernel does it too: it counts for the capabilities that are real. */
function keepCapabilities(call: Notification, step: Step): Answer {
  const keepsCapabilities = call.number(1) !== 0;
  step.processes.change(call.pid, (old) => ({ ...old, keepsCapabilities }));
  return 'continue';
}

/** A program may bring ids of its own; the saved ones are those with which it begins. */
function execute(
  call: Notification,
  step: Step,
  which: { readonly fd?: number; readonly path: number; readonly flags?: number; readonly follow?: boolean },
): Answer {
  const fd = openNamed(call, step, which);
  if (fd < 0) return 'continue';
  try {
    const file = step.peer.stateOf(fd);
    if (file === undefined || (file.mode & TYPE) !== REGULAR) return 'continue';
    const brings = file.mode & (SETUID | SETGID);
    const owner = (brings === 0 ? undefined : step.records.find(fd, file)) ?? rootOwner;
    const uid = (file.mode & SETUID) === 0 ? undefined : owner.uid;
    const gid = (file.mode & (SETGID | GROUP_EXECUTES)) === (SETGID | GROUP_EXECUTES) ? owner.gid : undefined;
    step.processes.change(call.pid, (old) => ({
      ...old,
      user: begun(old.user, uid),
      group: begun(old.group, gid),
      keepsCapabilities: false,
    }));
    return 'continue';
  } finally {
    close(fd);
  }
}

function begun(ids: Ids, id = ids.effective): Ids {
  return { real: ids.real, effective: id, saved: id, file: id };
}

function writeNumbers(
  { arena, peer }: Step,
  { pid }: Notification,
  { address, values }: { readonly address: bigint; readonly values: readonly number[] },
): boolean {
  for (const [index, value] of values.entries()) arena.bytes.writeUInt32LE(value, at.more + 4 * index);
  return (
    values.length === 0 || peer.memory.write(pid, address, { offset: at.more, length: 4 * values.length })
  );
}
