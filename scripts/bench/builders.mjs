// The two builders' command lines: each in its best fair setting, with a store on the same file system.
import { join } from 'node:path';
import { root } from '../machine.mjs';

/**
 * A builder is `{ name, build, push }`: both give command lines. A job is
 * `{ store, path (context), image, workload, user, runtime }`.
 */
export const tsbuild = {
  name: 'tsbuild',
  build: (job) => [
    job.user?.tsbuild ?? join(root, 'bin/tsbuild'),
    'build',
    '--root',
    job.store,
    ...(job.workload.noCache ? ['--no-cache'] : []),
    ...(job.runtime === undefined ? [] : ['--runtime', job.runtime]),
    ...(job.workload.push === 'too' ? ['--push'] : []),
    '-t',
    job.image,
    job.path,
  ],
  push: (job) => [join(root, 'bin/tsbuild'), 'push', '--root', job.store, job.image],
};

export const buildah = {
  name: 'buildah',
  build: (job) => {
    const { workload } = job;
    const bud = [
      ...storage(job.store),
      'bud',
      ...(job.user === undefined ? ['--isolation', 'oci'] : ['--isolation', 'rootless']),
      ...['--runtime', 'runc', '--network', 'host', '--tls-verify=false'],
      // Layers are kept only where caching counts: without them buildah is faster.
      ...(workload.cached ? ['--layers'] : []),
      ...(workload.noCache ? ['--no-cache'] : []),
      ...(workload.jobs ? ['--jobs', '4'] : []),
      ...['-t', job.image, job.path],
    ];
    return workload.push === 'too' ? both(bud, buildah.push(job)) : bud;
  },
  push: (job) => [...storage(job.store), 'push', '--tls-verify=false', job.image],
  storage,
};

/** The command with its storage in a folder. */
function storage(store) {
  return [
    'buildah',
    '--root',
    join(store, 'root'),
    '--runroot',
    join(store, 'run'),
    '--storage-driver',
    'overlay',
  ];
}

/** Two commands as one, the second after the first. */
function both(first, second) {
  return ['sh', '-c', `"$@" && ${second.map((word) => `'${word}'`).join(' ')}`, 'sh', ...first];
}
