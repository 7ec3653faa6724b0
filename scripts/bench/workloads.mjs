// The fourteen workloads. `target` is the bound on tsbuild's time divided by buildah's.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { context, largeFile, manyFiles } from './inputs.mjs';

const mebibyte = 1 << 20;
const lines = (count, line) => Array.from({ length: count }, (_, n) => line(n)).join('\n');

/**
 * What a workload says, besides its words: `containerfile(bases)`; `store`: `fresh` for every run, or `kept` with the
 * base (and, when `cached`, the whole build) in it; `flags` per builder; `push` into `registry` `fresh` or `shared`;
 * `only` the push is measured; `before(path, run)` changes the context.
 */
export const workloads = [
  {
    name: 'cold',
    about: 'empty store, pull the base, one RUN',
    target: 0.75,
    store: 'fresh',
    containerfile: ({ debian }) => `FROM ${debian}\nRUN echo hi > /hi\n`,
  },
  {
    name: 'extract',
    about: 'empty store, 450 MB base, RUN true',
    target: 0.9,
    store: 'fresh',
    containerfile: ({ big }) => `FROM ${big}\nRUN true\n`,
  },
  {
    name: 'hello',
    about: 'base present, one RUN, no cache',
    target: 0.8,
    noCache: true,
    containerfile: ({ debian }) => `FROM ${debian}\nRUN echo hi > /hi\n`,
  },
  {
    name: 'rootless',
    about: 'hello as an ordinary user',
    target: 0.8,
    noCache: true,
    asUser: true,
    containerfile: ({ debian }) => `FROM ${debian}\nRUN echo hi > /hi\n`,
  },
  {
    name: 'cached',
    about: 'nothing changed, context of 20,000 files',
    target: 0.1,
    cached: true,
    fill: manyFiles,
    containerfile: ({ debian }) => `FROM ${debian}\nCOPY . /src\nRUN ls /src > /list\n`,
  },
  {
    name: 'edit',
    about: 'one of 20,000 files changed',
    target: 0.1,
    cached: true,
    fill: manyFiles,
    containerfile: ({ debian }) => `FROM ${debian}\nCOPY . /src\n`,
    before: (path, run) => writeFileSync(join(path, 'files/100/50.txt'), `edited for ${run}\n`),
  },
  {
    name: 'small',
    about: 'COPY of 20,000 files, no cache',
    target: 0.1,
    noCache: true,
    fill: manyFiles,
    containerfile: ({ debian }) => `FROM ${debian}\nCOPY . /src\n`,
  },
  {
    name: 'big',
    about: 'COPY of 512 MiB',
    target: 0.35,
    noCache: true,
    fill: (path) => largeFile(path, 512 * mebibyte),
    containerfile: ({ debian }) => `FROM ${debian}\nCOPY . /src\n`,
  },
  {
    name: 'parallel',
    about: 'four stages of `sleep 2`',
    target: 0.75,
    noCache: true,
    jobs: true,
    containerfile: ({ debian }) =>
      `${lines(4, (n) => `FROM ${debian} AS s${n}\nRUN sleep 2 && echo ${n} > /${n}`)}\n` +
      `FROM scratch\n${lines(4, (n) => `COPY --from=s${n} /${n} /${n}`)}\n`,
  },
  {
    name: 'many',
    about: '40 stages of tiny RUNs',
    target: 0.15,
    noCache: true,
    jobs: true,
    containerfile: ({ debian }) =>
      `${lines(40, (n) => `FROM ${debian} AS s${n}\nRUN echo ${n} > /${n}`)}\n` +
      `FROM scratch\n${lines(40, (n) => `COPY --from=s${n} /${n} /${n}`)}\n`,
  },
  {
    name: 'deep',
    about: '30 tiny RUNs in a row',
    target: 0.2,
    noCache: true,
    containerfile: ({ debian }) => `FROM ${debian}\n${lines(30, (n) => `RUN echo ${n} > /${n}`)}\n`,
  },
  {
    name: 'runbig',
    about: 'RUN copies /usr/lib and /usr/share',
    target: 0.7,
    noCache: true,
    containerfile: ({ debian }) => `FROM ${debian}\nRUN mkdir /copy && cp -a /usr/lib /usr/share /copy/\n`,
  },
  {
    name: 'push',
    about: 'a layer of 512 MiB, half random, half text, to an empty repository',
    target: 0.8,
    store: 'fresh',
    push: 'only',
    registry: 'fresh',
    fill: (path) => largeFile(path, 512 * mebibyte),
    containerfile: () => 'FROM scratch\nCOPY large /large\n',
  },
  {
    name: 'norun',
    about: 'empty store, COPY-only image, pushed where the base already is',
    target: 0.2,
    store: 'fresh',
    push: 'too',
    registry: 'shared',
    fill: (path) => {
      for (let n = 0; n < 20; n += 1) writeFileSync(join(path, `${n}.txt`), `file ${n}\n`.repeat(500));
    },
    containerfile: ({ debian }) => `FROM ${debian}\nCOPY . /app/\n`,
  },
];

/** The workload's context, made on first use. Workloads with the same files share none: a cached one must not change. */
export function contextOf(workload, folder, bases) {
  return context(folder, workload.name, workload.containerfile(bases), workload.fill);
}
