import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Isolation } from '../../src/core/place.ts';
import { capabilitiesOf } from './capabilities.ts';
import { find } from './programs.ts';

/** A way in which RUN can be kept apart from the machine; `bin/ladder.sh` tries each by doing it. */
export interface Rung {
  readonly name: Isolation;
  readonly what: string;
  /** What it gives up against the rungs above it; '' for nothing. */
  readonly price: string;
  /** It is taken only where `--isolation` names it. */
  readonly optIn?: true;
  /**
   * How to come to this rung, where trying it said `why`: a sentence, and below it the commands to type, a line each; undefined
   * where nothing that a person sets would help.
   */
  readonly remedy: (why: string, machine: Machine) => string | undefined;
}

/** What remedies are chosen by. */
export interface Machine {
  readonly uid: number;
  /** A setting by its file: its trimmed text, or undefined. */
  readonly read: (path: string) => string | undefined;
  /** Whether a program is installed. */
  readonly has: (program: string) => boolean;
  /** Whether an installed program is setuid. */
  readonly isSetuid: (program: string) => boolean;
}

/** Best first; where each is tried at all depends on who one is. */
export const ladder: readonly Rung[] = [
  {
    name: 'root',
    what: 'real root',
    price: '',
    // `mapped` does as much, and takes less.
    remedy: () => undefined,
  },
  {
    name: 'subuid',
    what: 'a user namespace with a range of ids',
    price: '',
    remedy: subuidRemedy,
  },
  {
    name: 'mapped',
    what: "a user namespace with all of the container's ids",
    price: '',
    remedy: mappedRemedy,
  },
  {
    name: 'single',
    what: 'a user namespace with one id',
    price: 'owners are recorded instead of set: an install takes about a tenth longer',
    // Root that may not map id 0 may not even map it alone.
    remedy: (why, machine) => (/uid_map/.test(why) && mappedRemedy(why, machine)) || namespaceRemedy(machine),
  },
  {
    name: 'chroot',
    what: 'a folder as root, without namespaces',
    price:
      'no boundary: a hostile RUN can reach all files, processes and the network of the container; /proc is empty, secrets are files meanwhile',
    optIn: true,
    remedy: (_, { uid }) =>
      uid === 0
        ? 'It takes the capabilities that a container of docker has as it comes.'
        : 'It is for root in a container: leave --isolation away.',
  },
];

export function rungOf(name: Isolation): Rung | undefined {
  return ladder.find((rung) => rung.name === name);
}

/** The rungs that are tried for a user, best first: what the launcher climbs. */
export function rungsFor(uid: number): readonly Rung[] {
  const names: readonly Isolation[] = uid === 0 ? ['root', 'mapped', 'single'] : ['subuid', 'single'];
  return ladder.filter(({ name }) => names.includes(name));
}

/** This machine. */
export function machineOf(uid: number): Machine {
  return { uid, read: readSetting, has: (program) => find(program) !== undefined, isSetuid };
}

/** What keeps user namespaces from being made, and how to have them. */
export function namespaceRemedy({ read, has }: Machine): string {
  if (!has('unshare')) return 'Install unshare:\nsudo apt-get install util-linux';
  const none = kinds.find((kind) => read(`/proc/sys/user/max_${kind}_namespaces`) === '0');
  if (none !== undefined)
    return `The machine allows no ${none} namespaces:\nsudo sysctl -w user.max_${none}_namespaces=15000`;
  if (read('/proc/sys/kernel/unprivileged_userns_clone') === '0')
    return 'Only root may make namespaces here:\nsudo sysctl -w kernel.unprivileged_userns_clone=1';
  if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1')
    return 'AppArmor takes the rights in a user namespace away:\nsudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';
  if (statusField(read, 'Seccomp') === '2')
    return 'A filter refuses namespaces. Start the container without, or with one that allows them (in Kubernetes: docs/kubernetes.md):\ndocker run --security-opt seccomp=unconfined';
  return 'The container must allow namespaces (in Kubernetes: seccompProfile and appArmorProfile type Unconfined):\ndocker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined';
}

/** What a step needs one of each. */
const kinds = ['user', 'mnt', 'pid', 'ipc', 'uts'];

/** Root maps the ids of a namespace itself, with rights that not every container has. */
function mappedRemedy(why: string, machine: Machine): string | undefined {
  if (machine.uid !== 0) return undefined;
  if (/only one id/.test(why))
    return 'Give whoever starts this container more ids than one (/etc/subuid, or in Kubernetes hostUsers: false).';
  const lacking = lackingOf(machine, 'CapEff', ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETFCAP']);
  if (lacking.length === 0) return namespaceRemedy(machine);
  const flags = lacking.map((name) => `--cap-add ${name.replace('CAP_', '')}`);
  return `Give the container ${lacking.join(', ')} (in Kubernetes: capabilities: add):\ndocker run ${flags.join(' ')}`;
}

/** A user namespace comes first, then the ids in it. */
function subuidRemedy(why: string, machine: Machine): string | undefined {
  if (machine.uid === 0) return undefined;
  if (/Operation not permitted|No space left|Invalid argument/.test(why) && !/map/.test(why))
    return namespaceRemedy(machine);
  if (statusField(machine.read, 'NoNewPrivs') === '1')
    return 'no_new_privs keeps newuidmap from working: in Kubernetes set allowPrivilegeEscalation: true.';
  const range = 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER';
  if (!machine.has('newuidmap'))
    return `Install newuidmap (dnf: shadow-utils), and have a range of ids:\nsudo apt-get install uidmap\n${range}`;
  if (/subuid|subgid|range/.test(why)) return `You have no range of ids:\n${range}`;
  return (
    newuidmapRemedy(machine) ??
    `newuidmap must be allowed to map a range of ids, which you must have:\n${range}`
  );
}

/** What newuidmap and newgidmap lack: they hold their rights as setuid programs of root, or by their files. */
function newuidmapRemedy(machine: Machine): string | undefined {
  const lacking = lackingOf(machine, 'CapBnd', ['CAP_SETUID', 'CAP_SETGID']);
  if (lacking.length > 0)
    return `No program gets ${lacking.join(' or ')} in this container:\ndocker run --cap-add SETUID --cap-add SETGID`;
  const setuid = ['newuidmap', 'newgidmap'].every(machine.isSetuid);
  // As setuid programs they need a right that no container has as it comes; with rights of their files they do not.
  if (setuid && lackingOf(machine, 'CapBnd', ['CAP_SYS_ADMIN']).length > 0)
    return 'In a container newuidmap needs its rights from its file, in the image:\nchmod u-s /usr/bin/newuidmap /usr/bin/newgidmap\nsetcap cap_setuid+ep /usr/bin/newuidmap\nsetcap cap_setgid+ep /usr/bin/newgidmap';
  return setuid
    ? undefined
    : 'newuidmap and newgidmap have lost their rights:\nsudo chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap';
}

/** Which of these are not in a set of our capabilities. */
function lackingOf({ read }: Machine, set: string, names: readonly string[]): readonly string[] {
  const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)`, 'm').exec(read('/proc/self/status') ?? '')?.[1];
  const held = mask === undefined ? names : capabilitiesOf(mask);
  return names.filter((name) => !held.includes(name));
}

function statusField(read: Machine['read'], name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(read('/proc/self/status') ?? '')?.[1];
}

function isSetuid(program: string): boolean {
  const path = find(program);
  return path !== undefined && (statSync(path).mode & 0o4000) !== 0;
}

function readSetting(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
