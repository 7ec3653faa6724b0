import { constants } from 'node:fs';
import type { Mount, SandboxPlan } from './plan.ts';
import { block, call, from, type Item } from './program/calls.ts';
import { AT_FDCWD, NODEV, NOSUID } from './program/mounts.ts';

/**
 * A file system in memory at `folder`, which is empty but for a folder `empty` and the files of the plan, each named by the
 * position of its mount.
 */
export function memoryFiles({ mounts, ids }: SandboxPlan, folder: string): readonly Item[] {
  return [
    call('mount', ['tmpfs', folder, 'tmpfs', NOSUID | NODEV, 'mode=0700'], {
      about: 'make a file system in memory',
    }),
    call('mkdirat', [AT_FDCWD, `${folder}/empty`, 0o755], { about: 'make an empty folder' }),
    ...mounts.flatMap((mount, at) => (mount.kind === 'file' ? writeFile(`${folder}/${at}`, mount, ids) : [])),
  ];
}

type FileMount = Extract<Mount, { kind: 'file' }>;

/** Owners that the only id of a user namespace cannot give stay those of root. */
function writeFile(
  path: string,
  { content, mode, uid, gid, target }: FileMount,
  ids: SandboxPlan['ids'],
): readonly Item[] {
  const file = from(block());
  const about = `make ${target} in memory`;
  const createNew = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;
  return [
    call('openat', [AT_FDCWD, path, createNew, 0o600], { about, result: file }),
    call('write', [file, content, content.length], { about }),
    call('fchown', [file, uid, gid], {
      about: `give ${target} to ${uid}:${gid}`,
      ...(ids === 'recorded' && { tolerate: ['EINVAL'] as const }),
    }),
    call('fchmod', [file, mode], { about }),
    call('close', [file]),
  ];
}
