import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { readLayout } from '../support/oci-layout.ts';
import { must } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { imageId, loadBases, newTsbuild, type Who } from '../support/tsbuild.ts';

const containerfile = `FROM localhost/tsbuild-test/busybox:1 AS build
WORKDIR /src
COPY . .
RUN cat numbers.txt numbers.txt > twice.txt && mkdir -p out/deep && ln twice.txt out/deep/link
FROM localhost/tsbuild-test/busybox:1
USER app
WORKDIR /made/by/workdir
COPY --from=build --chown=33:33 /src /srv
ENV A=b
USER 0
RUN rm -rf /opt/old && mkdir /opt/old && echo x > /opt/old/y && touch /opt/z
`;

interface Way {
  readonly who: Who;
  readonly umask: string;
  readonly folder: string;
  /** The processors it may use. */
  readonly cpus: string;
}

const needs = { root: true, programs: ['taskset', 'busybox', 'crun', 'skopeo'] };

describe.skipIf(skip('reproducible builds', needs))('the same build elsewhere', () => {
  it('gives the same image id and the same compressed bytes', async () => {
    const first = await build({ who: 'root', umask: '022', folder: 'one', cpus: '0-1023' });
    const second = await build({ who: 'root', umask: '077', folder: 'another/deeper', cpus: '0' });
    const third = await build({ who: 'user', umask: '002', folder: 'of a user', cpus: '0-1023' });
    expect(second).toEqual(first);
    expect(third).toEqual(first);
  });

  it('differs when the epoch differs', async () => {
    const way: Way = { who: 'root', umask: '022', folder: 'epoch', cpus: '0-1023' };
    expect((await build(way, 1_600_000_000)).id).not.toBe((await build(way)).id);
  });
});

async function build(
  way: Way,
  epoch = 1_500_000_000,
): Promise<{ id: string; layers: string[]; digest: string }> {
  await using tsbuild = await newTsbuild(way.who);
  await loadBases(tsbuild, [await busyboxBase()]);
  const cwd = join(tsbuild.folder, way.folder);
  await writeContext(cwd);
  await tsbuild.give(tsbuild.folder);
  const line = tsbuild.commandLine(['build', '-o', 'type=oci,tar=false,dest=out', '--iidfile', 'id', '.']);
  const shell = ['sh', '-c', `umask ${way.umask}; exec taskset -c ${way.cpus} "$@"`, 'sh', ...line];
  await must(shell, { cwd, env: { ...tsbuild.env, SOURCE_DATE_EPOCH: String(epoch) } });
  const { manifest, digest } = readLayout(join(cwd, 'out'));
  return { id: imageId(join(cwd, 'id')), layers: manifest.layers.map((layer) => layer.digest), digest };
}

/** Enough text for many compressed blocks; modes as every checkout has them, times as they come. */
async function writeContext(folder: string): Promise<void> {
  mkdirSync(join(folder, 'many'), { recursive: true });
  writeFileSync(join(folder, 'Containerfile'), containerfile);
  writeFileSync(join(folder, '.dockerignore'), 'out\nid\n');
  writeFileSync(join(folder, 'numbers.txt'), Array.from({ length: 700_000 }, (_, n) => `${n}\n`).join(''));
  for (let n = 0; n < 200; n += 1) writeFileSync(join(folder, 'many', `${n}.txt`), `file ${n}\n`);
  await must(['chmod', '-R', 'u=rwX,go=rX', folder]);
}
