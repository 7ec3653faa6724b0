import { readFileSync } from 'node:fs';
import { writeIndex } from './index-layout.ts';
import { npmProject } from './npm-project.ts';
import { type TarEntry, ustar, writeLayout } from './oci-layout.ts';
import { must } from './programs.ts';
import { once } from './shared.ts';

/** An image that pages of the documentation build on: its names at Docker Hub, and its OCI layout (tag `image`). */
export interface DocsBase {
  readonly names: readonly string[];
  readonly layout: () => Promise<string>;
}

/** Stand-ins: they have what pages use of the images whose names they bear, for several platforms. */
export const docsBases: readonly DocsBase[] = [
  { names: ['alpine:latest', 'alpine:3', 'alpine:3.22', 'busybox:latest', 'busybox:1'], layout: alpine },
  { names: ['node:22', 'node:22-alpine', 'node:22-bookworm-slim'], layout: node },
];

/** Every program of busybox. */
async function alpine(): Promise<string> {
  return await layout('docs-alpine', async (folder) => {
    writeLayout(folder, [ustar(await files())], { Env: [path], Cmd: ['/bin/sh'] });
  });
}

/** The same with this machine's Node and npm, and what they need of the C library. */
async function node(): Promise<string> {
  return await layout('docs-node', async (folder) => {
    const { node } = await npmProject();
    const flags = [`${folder}.tar`, '--owner=0', '--group=0', '--mtime=@1000000000', '-C', '/'];
    const libraries = (await must(['ldd', process.execPath])).match(/\/\S+/g) ?? [];
    const own = `--transform=s,^${node.slice(1)}/,usr/local/,`;
    const members = [...libraries, `${node}/bin/node`].map((path) => path.slice(1));
    await must(['tar', '-chf', ...flags, own, ...members]);
    await must(['tar', '-rf', ...flags, own, `${node.slice(1)}/bin/npm`, `${node.slice(1)}/lib`]);
    const layers = [ustar(await files()), readFileSync(`${folder}.tar`)];
    writeLayout(folder, layers, { Env: [path], Cmd: ['node'] });
    await must(['rm', `${folder}.tar`]);
  });
}

async function layout(key: string, make: (layout: string) => Promise<void>): Promise<string> {
  const folder = await once(key, async (temporary) => {
    await must(['mkdir', `${temporary}/layout`]);
    await make(`${temporary}/layout`);
    writeIndex(`${temporary}/layout`, 'image');
  });
  return `${folder}/layout`;
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

async function files(): Promise<TarEntry[]> {
  const folders = ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'run', 'srv', 'sys', 'usr', 'usr/bin', 'var'];
  const applets = (await must(['busybox', '--list'])).trim().split('\n').sort();
  const text = (path: string, content: string): TarEntry => ({
    ...{ path, type: 'file', mode: 0o644, content: Buffer.from(content) },
  });
  return [
    ...folders.map((path): TarEntry => ({ path, type: 'dir', mode: 0o755 })),
    { path: 'tmp', type: 'dir', mode: 0o1777 },
    text('etc/os-release', 'ID=alpine\nNAME="Alpine Linux"\nVERSION_ID=3.22.0\n'),
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n'),
    text('etc/group', 'root:x:0:root\nnobody:x:65534:\n'),
    text('etc/shadow', 'root:*::0:::::\nnobody:!::0:::::\n'),
    { path: 'usr/bin/env', type: 'symlink', mode: 0o777, link: '../../bin/busybox' },
    { path: 'bin/busybox', type: 'file', mode: 0o755, content: readFileSync('/bin/busybox') },
    ...applets
      .filter((applet) => applet !== 'busybox')
      .map((applet): TarEntry => ({ path: `bin/${applet}`, type: 'symlink', mode: 0o777, link: 'busybox' })),
  ];
}
