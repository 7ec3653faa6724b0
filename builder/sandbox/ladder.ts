import { existsSync, readFileSync } from 'node:fs';
import type { Isolation } from '../../src/core/place.ts';
import { find } from './programs.ts';

/** A way in which RUN can be kept apart from the machine; `bin/ladder.sh` tries each by doing it. */
export interface Rung {
  readonly name: Isolation;
  readonly what: string;
  /** What it gives up against the rungs above it; '' for nothing. */
  readonly price: string;
  /** It is taken only where `--isolation` names it. */
  readonly optIn?: true;
  /** How to come to this rung, where trying it said `why`; undefined where nothing that a person sets would help. */
  readonly remedy: (why: string, machine: Machine) => string | undefined;
}

/** What remedies are chosen by. */
export interface Machine {
  readonly uid: number;
  /** A setting by its file: its trimmed text, or undefined. */
  readonly read: (path: string) => string | undefined;
  /** Whether a program is installed. */
  readonly has: (program: string) => boolean;
}

/** Best first; where each is tried at all depends on who one is. */
export const ladder: readonly Rung[] = [
  {
    name: 'root',
    what: 'real root',
    price: '',
    remedy: (_, { uid }) => (uid === 0 ? 'In a container: docker run --privileged.' : undefined),
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
    remedy: (_, machine) => (machine.uid === 0 ? namespaceRemedy(machine) : undefined),
  },
  {
    name: 'single',
    what: 'a user namespace with one id',
    price: 'owners are recorded instead of set: an install takes about a quarter longer',
    remedy: (_, machine) => namespaceRemedy(machine),
  },
  {
    name: 'chroot',
    what: 'a folder as root, without namespaces',
    price:
      'no boundary: a hostile RUN can disturb every process of the container and use its network; /proc is empty, secrets are files meanwhile',
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
  return { uid, read: readSetting, has: (program) => find(program) !== undefined };
}

/** What keeps user namespaces from being made, and how to have them. */
export function namespaceRemedy({ read, has }: Machine): string {
  if (!has('unshare')) return 'Install unshare: apt-get install util-linux.';
  if (read('/proc/sys/user/max_user_namespaces') === '0')
    return 'The machine allows none: sudo sysctl -w user.max_user_namespaces=15000';
  if (read('/proc/sys/kernel/unprivileged_userns_clone') === '0')
    return 'Only root may make them here: sudo sysctl -w kernel.unprivileged_userns_clone=1';
  if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1')
    return 'AppArmor takes their rights away: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';
  if (statusField(read, 'Seccomp') === '2')
    return 'A seccomp filter refuses them: docker run --security-opt seccomp=unconfined, or seccompProfile type Unconfined in Kubernetes.';
  return 'In a container, namespaces must be allowed: its seccomp and AppArmor profiles unconfined.';
}

/** A user namespace comes first, then the ids in it. */
function subuidRemedy(why: string, machine: Machine): string | undefined {
  if (machine.uid === 0) return undefined;
  if (/Operation not permitted|No space left|Invalid argument/.test(why) && !/map/.test(why))
    return namespaceRemedy(machine);
  if (statusField(machine.read, 'NoNewPrivs') === '1')
    return 'no_new_privs keeps newuidmap from working: in Kubernetes allowPrivilegeEscalation: true.';
  const range = `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER`;
  if (!machine.has('newuidmap'))
    return `Install newuidmap (apt-get install uidmap, dnf install shadow-utils), and have a range of ids: ${range}`;
  if (/subuid|subgid|range/.test(why)) return `The user ${machine.uid} needs a range of ids: ${range}`;
  return `newuidmap must be setuid root or hold cap_setuid, and the user ${machine.uid} needs a range of ids: ${range}`;
}

function statusField(read: Machine['read'], name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(read('/proc/self/status') ?? '')?.[1];
}

function readSetting(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
