import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capabilitiesOf, defaultCapabilities, heldCapabilities } from '../../builder/sandbox/capabilities.ts';
import { filterRules, ociSeccomp, type Seccomp } from '../../builder/sandbox/seccomp.ts';
import { has } from './skips.ts';

/** A machine or container as people meet them, made of this one: what a process there has and lacks. */
export interface HostPlace {
  readonly about: string;
  readonly who: 'root' | 'user';
  readonly capabilities: 'all' | 'docker' | 'none';
  /** Capabilities that are missing from these. */
  readonly without?: readonly string[];
  /** Docker's system call filter. */
  readonly filtered?: boolean;
  /** Another one. */
  readonly filter?: Seccomp;
  /** Parts of /proc and /sys are hidden, so that a new /proc cannot be mounted. */
  readonly masked?: boolean;
  readonly noNewPrivileges?: boolean;
  readonly readonlyRoot?: boolean;
  /** `one`: root of a user namespace that knows one id. `all`: of one that knows all of them. */
  readonly ids?: 'one' | 'all';
  /** Shell commands of real root with the place's root as working folder, before anything runs there. */
  readonly prepare?: string;
  /** Shell commands of the place's root, inside, before the command. */
  readonly first?: string;
  /** Where the store lies inside, on what is not handed in. */
  readonly store?: string;
}

/** On a file system in memory with these options. */
const storeOn = (options: string): Pick<HostPlace, 'first' | 'store'> => ({
  first: `mkdir /store; mount -t tmpfs -o ${options} tmpfs /store`,
  store: '/store/own',
});

/** Where the builder is started in tests. The root is an overlay of this machine's files, dropped afterwards. */
export const hostPlaces = {
  'docker-root': {
    about: "root in docker's container as it comes",
    who: 'root',
    capabilities: 'docker',
    filtered: true,
    masked: true,
  },
  restricted: {
    about: 'an ordinary uid in a restricted pod: no capability, no new privileges, the filter',
    who: 'user',
    capabilities: 'none',
    filtered: true,
    masked: true,
    noNewPrivileges: true,
  },
  'restricted-profile': {
    about: 'the same pod with the filter of docs/kubernetes.md',
    who: 'user',
    capabilities: 'none',
    filter: JSON.parse(readFileSync('ci/kubernetes/seccomp.json', 'utf8')) as Seccomp,
    masked: true,
    noNewPrivileges: true,
  },
  'no-new-privileges': {
    about: 'an ordinary user whose programs gain nothing, newuidmap neither',
    who: 'user',
    capabilities: 'all',
    noNewPrivileges: true,
  },
  'masked-proc': {
    about: "an ordinary user in docker's container without its filter",
    who: 'user',
    capabilities: 'docker',
    masked: true,
  },
  'docker-unconfined': {
    about: "root in docker's container without its filter: it may map ids",
    who: 'root',
    capabilities: 'docker',
    masked: true,
  },
  'unmasked-unconfined': {
    about: "root in docker's container without its filter and with all of /proc",
    who: 'root',
    capabilities: 'docker',
  },
  'no-setfcap': {
    about: 'root in a container without its filter, that may not map id 0',
    who: 'root',
    capabilities: 'docker',
    without: ['CAP_SETFCAP'],
  },
  'store-on-overlay': {
    about: 'root, whose files all lie on an overlay',
    who: 'root',
    capabilities: 'all',
    store: '/root/store',
  },
  'store-noexec': {
    about: 'an ordinary user whose store takes no overlay and starts no program',
    who: 'user',
    capabilities: 'all',
    first: 'mkdir -m 1777 /store; mount --bind /store /store; mount -o remount,bind,noexec /store',
    store: '/store/own',
  },
  'store-full': {
    about: 'an ordinary user whose disk is nearly full',
    who: 'user',
    capabilities: 'all',
    ...storeOn('size=32m,mode=1777'),
  },
  'store-read-only': {
    about: 'an ordinary user whose disk cannot be written',
    who: 'user',
    capabilities: 'all',
    ...storeOn('ro,mode=1777'),
  },
  'store-of-others': {
    about: "an ordinary user whose store is somebody else's",
    who: 'user',
    capabilities: 'all',
    ...storeOn('mode=1777'),
    first: 'mkdir -p /store/own',
  },
  'read-only-root': {
    about: 'an ordinary user who can write nowhere but in the folders handed in',
    who: 'user',
    capabilities: 'all',
    readonlyRoot: true,
  },
  'one-uid': {
    about: 'root of a user namespace that knows one id',
    who: 'root',
    capabilities: 'all',
    ids: 'one',
  },
  'no-user-namespaces': {
    about: 'an ordinary user where user.max_user_namespaces is 0',
    who: 'user',
    capabilities: 'all',
    ids: 'all',
    first: 'echo 0 >/proc/sys/user/max_user_namespaces',
  },
  'no-mount-namespaces': {
    about: 'an ordinary user where user.max_mnt_namespaces is 0',
    who: 'user',
    capabilities: 'all',
    ids: 'all',
    first: 'echo 0 >/proc/sys/user/max_mnt_namespaces',
  },
  'no-range': {
    about: 'an ordinary user without a range of ids',
    who: 'user',
    capabilities: 'all',
    prepare: ': >etc/subuid; : >etc/subgid',
  },
  'newuidmap-not-setuid': {
    about: 'an ordinary user whose newuidmap has lost its rights',
    who: 'user',
    capabilities: 'all',
    prepare: 'chmod u-s usr/bin/new[ug]idmap',
  },
  bare: {
    about: 'an ordinary user of a machine without runtimes and newuidmap',
    who: 'user',
    capabilities: 'all',
    prepare: 'rm -f usr/bin/crun usr/sbin/crun usr/bin/runc usr/sbin/runc usr/bin/new[ug]idmap',
  },
  busybox: {
    about: 'an ordinary user whose unshare, mount and setpriv are those of busybox',
    who: 'user',
    capabilities: 'all',
    prepare:
      'for name in unshare setpriv mount umount; do ln -sf "$(command -v busybox)" "usr/bin/$name"; done',
  },
} satisfies Record<string, HostPlace>;

/** Programs that simulated places need, for `skip`; besides, they need root. */
export const placePrograms = ['unshare', 'setpriv', 'mount', has('runc') ? 'runc' : 'crun'];

export interface PlaceOptions {
  /** A private folder for what the place is made of; it has to stay until the command has ended. */
  readonly scratch: string;
  /** Who `user` is. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** Folders of this machine that the command may change; everything else that it writes is dropped. */
  readonly keep?: readonly string[];
  /** One more, that is `/home/builder` there. */
  readonly home?: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/**
 * The command line that runs `command` in a simulated place, in the foreground, with its exit code; needs root. What
 * runs there ends with it: it is pid 1 of namespaces that do not outlive the process which is started.
 */
export function inHostPlace(place: HostPlace, command: readonly string[], options: PlaceOptions): string[] {
  const folder = mkdtempSync(join(options.scratch, 'place-'));
  for (const name of ['own', 'bundle', 'state']) mkdirSync(join(folder, name));
  const config = configOf(place, command, { ...options, rootfs: join(folder, 'own/root') });
  writeFileSync(join(folder, 'bundle/config.json'), JSON.stringify(config));
  const outermost = ['setpriv', '--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--pid', '--fork'];
  const script = ['sh', '-c', setupScript, folder, has('runc') ? 'runc' : 'crun', place.prepare ?? ''];
  return [...outermost, '--kill-child', '--mount-proc', '--', ...script];
}

/** crun wants the control groups of this machine out of its sight; runc wants to see them. */
const setupScript = `set -e
runtime=$1
mount -t tmpfs -o mode=755 tmpfs "$0/own"
cd "$0/own"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
cd root
eval "$2"
cd /
[ "$runtime" = runc ] || mount -t tmpfs tmpfs /sys/fs/cgroup
exec "$runtime" --root "$0/state" run --bundle "$0/bundle" "tsbuild-place-\${0##*-}-$(cat /proc/sys/kernel/random/uuid)"`;

function configOf(
  place: HostPlace,
  command: readonly string[],
  { rootfs, keep = [], home, env, cwd = '/', user }: PlaceOptions & { readonly rootfs: string },
): object {
  const isUser = place.who === 'user';
  const become = `exec setpriv --reuid=${user.uid} --regid=${user.gid} --clear-groups -- "$@"`;
  const args = place.first === undefined ? command : firstly(place.first, isUser, become, command);
  const starts = place.first === undefined && isUser ? user : { uid: 0, gid: 0 };
  return {
    ociVersion: '1.0.2',
    root: { path: rootfs, readonly: place.readonlyRoot ?? false },
    hostname: 'place',
    process: {
      args,
      cwd,
      env: Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
      user: starts,
      noNewPrivileges: place.noNewPrivileges ?? false,
      capabilities: capabilitySets(place, starts.uid === 0),
    },
    mounts: [
      ...systemMounts(place),
      ...keep.map((folder) => bind(folder)),
      ...(home === undefined ? [] : [bind(home, '/home/builder')]),
    ],
    linux: {
      ...idMappings(place),
      namespaces: ['pid', 'ipc', 'uts', 'mount', ...(place.ids ? ['user'] : [])].map((type) => ({ type })),
      ...(place.filtered && { seccomp: ociSeccomp(filterRules(setOf(place))) }),
      ...(place.filter && { seccomp: place.filter }),
      ...(place.masked && { maskedPaths, readonlyPaths }),
    },
  };
}

function firstly(first: string, isUser: boolean, become: string, command: readonly string[]): string[] {
  return ['sh', '-c', `set -e\n${first}\n${isUser ? become : 'exec "$@"'}`, 'sh', ...command];
}

/** In a user namespace of its own a process has them all, whatever we have. */
function setOf({ capabilities, without = [], ids }: HostPlace): readonly string[] {
  if (capabilities === 'none') return [];
  if (capabilities === 'docker') return defaultCapabilities.filter((name) => !without.includes(name));
  return ids === undefined ? heldCapabilities() : capabilitiesOf('1ffffffffff');
}

function capabilitySets(place: HostPlace, isRoot: boolean): object {
  const bounding = setOf(place);
  const own = isRoot ? bounding : [];
  return { bounding, effective: own, permitted: own, inheritable: [], ambient: [] };
}

function idMappings({ ids }: HostPlace): object {
  if (ids === undefined) return {};
  const map = [{ containerID: 0, hostID: 0, size: ids === 'one' ? 1 : 4_294_967_295 }];
  return { uidMappings: map, gidMappings: map };
}

function systemMounts({ ids }: HostPlace): object[] {
  const plain = ['nosuid', 'noexec', 'nodev'];
  const pts = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
  const sys = ids === undefined ? { type: 'sysfs', source: 'sysfs' } : { type: 'bind', source: '/sys' };
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: plain },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: pts },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...plain, 'mode=1777'] },
    { destination: '/sys', ...sys, options: [...(ids === undefined ? [] : ['rbind']), ...plain, 'ro'] },
    { destination: '/sys/fs/cgroup', type: 'tmpfs', source: 'tmpfs', options: [...plain, 'ro'] },
  ];
}

function bind(folder: string, destination = folder): object {
  return { destination, type: 'bind', source: folder, options: ['rbind', 'rw'] };
}

/** As docker has them. */
const maskedPaths = ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/sys/firmware'];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
