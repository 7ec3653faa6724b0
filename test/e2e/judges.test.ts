import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { closeBuildah, newBuildah } from '../support/buildah.ts';
import { readLayout } from '../support/oci-layout.ts';
import { must } from '../support/programs.ts';
import { startRegistryServer } from '../support/registry-server.ts';
import { temporaryFolder } from '../support/shared.ts';
import { isRoot, skip } from '../support/skips.ts';
import { listTree, unpack } from '../support/trees.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

/** The last step writes down what it sees of every file, except itself and the mount points of a sandbox. */
const containerfile = `FROM localhost/tsbuild-test/busybox:1
COPY tree /tree
RUN mkdir -m 2751 /kinds && cd /kinds && echo f > file && ln file twin && ln -s file soft && mkfifo -m 0620 pipe && mkdir -m 1777 sticky
RUN cd /kinds && echo s > setuid && chown 33:500 setuid && chmod 4750 setuid && touch -d @1000000000 setuid && chown -h 7:8 soft
RUN rm -r /opt/old/deep && rm -rf /home/app && mkdir -m 0700 /home/app && chown app:app /home/app && touch -d @86400 /opt/old/a
RUN find / -xdev ! -path / ! -path /etc ! -path '/dev*' ! -path '/proc*' ! -path '/sys*' ! -path '/etc/hosts' ! -path '/etc/resolv.conf' ! -path /seen -exec stat -c '%n|%f|%u|%g|%Y|%h' {} + > /seen
`;

const needs = { root: true, programs: ['skopeo', 'umoci', 'busybox', 'crun', 'getfattr'] };
const people: readonly Who[] = ['root', 'user'];

describe.skipIf(skip('judgement by other tools', needs)).each(people)('an image built as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    await writeContext(tsbuild);
    await tsbuild.must(['build', '-t', 'judged:1', 'context']);
    await tsbuild.must(['build', '-o', 'type=oci,tar=false,dest=folder', 'context']);
    await tsbuild.must(['build', '-o', 'type=oci,dest=oci.tar', 'context']);
    await tsbuild.must(['build', '-t', 'judged:1', '-o', 'type=docker,dest=docker.tar', 'context']);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  it('unpacks by umoci to what its steps saw', async () => {
    const layout = await copyLayout(join(tsbuild.folder, 'folder'), join(tsbuild.folder, 'folder.image'));
    const rootfs = await unpack(layout, join(tsbuild.folder, 'bundle'));
    const tree = await listTree(rootfs);
    const lines = readFileSync(join(rootfs, 'seen'), 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThan(80);
    const seen = new Set(lines.map((line) => line.split('|')[0]?.slice(1)));
    const hidden = /^(dev|proc|sys)(\/|$)|^seen$|^etc(\/hosts|\/resolv\.conf)?$|^$/;
    expect([...tree.keys()].filter((path) => !seen.has(path) && !hidden.test(path))).toEqual([]);
    expect(lines.filter((line) => !agrees(line, tree))).toEqual([]);
  });

  it('is accepted by skopeo in every form, with every digest', async () => {
    const { folder } = tsbuild;
    const forms = [
      `oci:${folder}/folder`,
      `oci-archive:${folder}/oci.tar`,
      `docker-archive:${folder}/docker.tar`,
    ];
    for (const form of forms) {
      const found = JSON.parse(await must(['skopeo', 'inspect', form])) as { Os: string; Layers: string[] };
      expect(found).toMatchObject({ Os: 'linux' });
      await must(['skopeo', 'copy', '-q', form, `oci:${folder}/copied-${forms.indexOf(form)}:image`]);
    }
    const diffIds = forms.map((_, n) => readLayout(join(folder, `copied-${n}`)).config.rootfs.diff_ids);
    expect(diffIds[1]).toEqual(diffIds[0]);
    expect(diffIds[2]).toEqual(diffIds[0]);
  });

  it.skipIf(skip('podman load', { root: true, programs: ['podman'] }))('is loaded by podman', async () => {
    await using folder = temporaryFolder('podman');
    const store = [
      '--root',
      join(folder.path, 'root'),
      '--runroot',
      join(folder.path, 'run'),
      '--storage-driver',
      'vfs',
    ];
    for (const archive of ['docker.tar', 'oci.tar']) {
      const said = await must(['podman', ...store, 'load', '-q', '-i', join(tsbuild.folder, archive)]);
      expect(said).toMatch(/Loaded image/);
    }
    expect(await must(['podman', ...store, 'images', '--format', '{{.Repository}}:{{.Tag}}'])).toContain(
      'judged:1',
    );
  });

  it.skipIf(skip('buildah from', { root: true, programs: ['buildah'] }))('is taken by buildah', async () => {
    await using folder = temporaryFolder('buildah');
    const buildah = newBuildah(folder.path);
    try {
      const container = (
        await buildah.must(['from', `oci-archive:${join(tsbuild.folder, 'oci.tar')}`])
      ).trim();
      const mounted = (await buildah.must(['mount', container])).trim();
      expect(readFileSync(join(mounted, 'kinds/twin'), 'utf8')).toBe('f\n');
    } finally {
      await closeBuildah(buildah);
    }
  });

  const registry = { programs: ['docker-registry'] };
  it.skipIf(skip('a registry', registry))('comes back from a registry as it went', async () => {
    const server = await startRegistryServer();
    try {
      const name = `${server.host}/judged/app:1`;
      await tsbuild.must(['tag', 'judged:1', name]);
      await tsbuild.must(['push', name]);
      const copied = join(tsbuild.folder, 'from-registry');
      await must([
        'skopeo',
        'copy',
        '-q',
        '--src-tls-verify=false',
        `docker://${name}`,
        `oci:${copied}:image`,
      ]);
      const local = await copyLayout(join(tsbuild.folder, 'folder'), join(tsbuild.folder, 'again.image'));
      expect(readLayout(copied).manifest.config.digest).toBe(readLayout(local).manifest.config.digest);
    } finally {
      await server.stop();
    }
  });
});

/** Copies the only image of a layout by skopeo, which verifies every blob, into a new layout, where its tag is `image`. */
async function copyLayout(from: string, to: string): Promise<string> {
  await must(['skopeo', 'copy', '-q', `oci:${from}`, `oci:${to}:image`]);
  return to;
}

async function writeContext(tsbuild: Tsbuild): Promise<void> {
  const folder = join(tsbuild.folder, 'context');
  await must(['mkdir', '-p', join(folder, 'tree/in')]);
  writeFileSync(join(folder, 'Containerfile'), containerfile);
  writeFileSync(join(folder, 'tree/one'), 'one\n');
  await must(['chmod', '0640', join(folder, 'tree/one')]);
  await must(['ln', join(folder, 'tree/one'), join(folder, 'tree/in/two')]);
  await must(['touch', '-d', '@1234567890', join(folder, 'tree/one')]);
  await must(['chmod', 'go+rX', folder]);
  if (isRoot) await tsbuild.give(folder);
}

const kinds = new Map([
  [0o100000, 'file'],
  [0o040000, 'dir'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
]);

/** Whether umoci's tree has what a line of the step says: type, mode, owner, time in seconds, number of names. */
function agrees(line: string, tree: Awaited<ReturnType<typeof listTree>>): boolean {
  const [name = '', hex = '', uid, gid, mtime, links] = line.split('|');
  const entry = tree.get(name.slice(1));
  if (entry === undefined) return false;
  const raw = Number.parseInt(hex, 16);
  const mode = (raw & 0o7777).toString(8).padStart(4, '0');
  const same = entry.type === kinds.get(raw & 0o170000) && entry.mode === mode;
  const owner = `${entry.uid}:${entry.gid}` === `${uid}:${gid}`;
  const names = entry.type === 'dir' || (entry.sameAs !== undefined) === Number(links) > 1;
  return same && owner && names && entry.mtime === Number(mtime);
}
