import { join } from 'node:path';
import type { BaseImage } from './base-images.ts';
import { must, type Outcome, type RunOptions, run } from './programs.ts';

/** Debian's buildah with a store of its own, as root. */
export interface Buildah {
  readonly folder: string;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  must(args: readonly string[], options?: RunOptions): Promise<string>;
}

/** buildah with its store in `folder`: overlay, runc and the host's network, as it works inside containers too. */
export function newBuildah(folder: string): Buildah {
  const store = [
    '--root',
    join(folder, 'root'),
    '--runroot',
    join(folder, 'run'),
    '--storage-driver',
    'overlay',
  ];
  const command = (args: readonly string[]) => ['buildah', ...store, ...args];
  return {
    folder,
    run: (args, options) => run(command(args), options),
    must: (args, options) => must(command(args), options),
  };
}

/** What `bud` needs besides names, file and context. */
export const budFlags = [
  '--isolation',
  'oci',
  '--runtime',
  'runc',
  '--network',
  'host',
  '--format',
  'docker',
];

/** Puts base images into buildah's store under their names. */
export async function pullBases(buildah: Buildah, bases: readonly BaseImage[]): Promise<void> {
  for (const base of bases) await buildah.must(['pull', '-q', `docker-archive:${base.archive}`]);
}

/** Builds and gives the folder where the image's files can be seen, until `closeBuildah`. */
export async function budTree(
  buildah: Buildah,
  args: readonly string[],
  options: RunOptions & { readonly name: string },
): Promise<string> {
  const image = `localhost/${options.name}`;
  await buildah.must(['bud', ...budFlags, '-t', image, ...args], options);
  const container = (await buildah.must(['from', '--pull-never', image])).trim();
  return (await buildah.must(['mount', container])).trim();
}

/** Takes away what buildah may have left mounted. */
export async function closeBuildah(buildah: Buildah): Promise<void> {
  await buildah.run(['rm', '--all']);
  await run(['umount', join(buildah.folder, 'root/overlay')]);
}
