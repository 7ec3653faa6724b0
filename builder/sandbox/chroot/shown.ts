import { chmodSync, chownSync, closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BuildError, errnoOf } from '../../../src/core/errors.ts';
import { mknod } from '../../../src/sys/file.ts';
import { writeEtcFiles } from '../etc-files.ts';
import type { Mount, SandboxIo, SandboxPlan } from '../plan.ts';
import type { Placing } from './placing.ts';

/** Where a step's root holds what nothing can be mounted on. */
export interface Shown {
  /** Of /dev, in the root. */
  readonly dev: string;
}

interface Around {
  /** The step's own. */
  readonly folder: string;
  readonly stdin: SandboxIo['stdin'];
}

/** Puts into a step's root what other engines mount, in the same order. */
export function show(plan: SandboxPlan, placing: Placing, { folder, stdin }: Around): Shown {
  for (const name of ['/proc', '/sys']) placing.put(name, (path) => makeFolder(path, 0o555));
  const dev = placing.put('/dev', (path) => makeDevices(path, stdin === 'empty'));
  // The name that the step is known by is that of this machine all the same.
  const hosts = [`127.0.0.1 ${hostname()}`, ...plan.hosts];
  const { hostsFile, resolvFile } = writeEtcFiles({ ...plan, hosts }, folder);
  placing.move(resolvFile, '/etc/resolv.conf');
  placing.move(hostsFile, '/etc/hosts');
  const shown = new Map<string, string>();
  for (const mount of plan.mounts) showMount(mount, placing, shown);
  return { dev };
}

/** `shown`: where what was moved is by now. */
function showMount(mount: Mount, placing: Placing, shown: Map<string, string>): void {
  const { kind, target } = mount;
  if (kind === 'tmpfs') {
    placing.put(target, (path) => makeFolder(path, mount.mode ?? 0o1777));
  } else if (kind === 'file') {
    placing.put(target, (path) => writeSecret(path, mount));
  } else if (kind === 'bind' && mount.movable === true) {
    const there = shown.get(mount.source);
    if (there !== undefined) placing.put(target, (path) => symlinkSync(`/${there}`, path));
    else shown.set(mount.source, placing.move(mount.source, target));
  } else {
    throw new BuildError(
      'sandbox',
      `a file or folder of this machine cannot be shown at \`${target}\` here`,
      {
        hint: 'Isolation `chroot` can mount nothing. Leave --volume away: COPY brings files into an image.',
      },
    );
  }
}

function makeFolder(path: string, mode: number): void {
  mkdirSync(path, { mode: 0o700 });
  chmodSync(path, mode);
}

/** Nobody else reads it before it has its owner. */
function writeSecret(path: string, { content, mode, uid, gid }: Extract<Mount, { kind: 'file' }>): void {
  writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
  chownSync(path, uid, gid);
  chmodSync(path, mode);
}

/** Harmless devices by their numbers. */
const devices = {
  null: [1, 3],
  zero: [1, 5],
  full: [1, 7],
  random: [1, 8],
  urandom: [1, 9],
  tty: [5, 0],
} as const;

/** There is no /proc for them to lead to; the pipes themselves are put there as the step begins. */
const links = { 'fd/0': '../stdin', 'fd/1': '../stdout', 'fd/2': '../stderr' };

function makeDevices(dev: string, stdinIsEmpty: boolean): void {
  makeFolder(dev, 0o755);
  makeFolder(join(dev, 'fd'), 0o755);
  makeFolder(join(dev, 'shm'), 0o1777);
  for (const [name, to] of Object.entries(links)) symlinkSync(to, join(dev, name));
  if (stdinIsEmpty) symlinkSync('null', join(dev, 'stdin'));
  try {
    for (const [name, [major, minor]] of Object.entries(devices))
      makeDevice(join(dev, name), { major, minor });
    closeSync(openSync(join(dev, 'null'), 'r+'));
  } catch (error) {
    throw new BuildError(
      'sandbox',
      `the devices of a step cannot be made or opened here (${errnoOf(error)})`,
      {
        cause: error,
        hint: 'It takes the capability MKNOD, and a store on a file system that is not mounted with nodev: see --root.',
      },
    );
  }
}

function makeDevice(path: string, device: { readonly major: number; readonly minor: number }): void {
  mknod(path, 'char', { mode: 0o600, device });
  chmodSync(path, 0o666);
}
