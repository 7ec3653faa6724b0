import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageConfig, type TarEntry, ustar, writeLayout, writeWholeLayout } from './oci-layout.ts';
import { must } from './programs.ts';
import { once } from './shared.ts';
import { has } from './skips.ts';

/** An image that tests build on, in the forms that the builders take. */
export interface BaseImage {
  /** How a Containerfile names it. */
  readonly name: string;
  /** An OCI layout folder; its tag is `image`. */
  readonly layout: string;
  /** A docker archive that carries the name. */
  readonly archive: string;
}

const busybox = '/bin/busybox';
const text = (content: string): Pick<TarEntry, 'type' | 'content'> => ({
  type: 'file',
  content: Buffer.from(content),
});

/** Directories, users and a link in the place of a directory. */
const skeleton: readonly TarEntry[] = [
  ...['dev', 'etc', 'home', 'opt', 'proc', 'run', 'sys', 'usr', 'usr/bin', 'usr/lib', 'var'].map(directory),
  { path: 'root', type: 'dir', mode: 0o700 },
  { path: 'tmp', type: 'dir', mode: 0o1777 },
  { path: 'home/app', type: 'dir', mode: 0o750, uid: 1000, gid: 1000 },
  { path: 'lib', type: 'symlink', mode: 0o777, link: 'usr/lib' },
  { path: 'etc/passwd', mode: 0o644, ...text(passwd()) },
  { path: 'etc/group', mode: 0o644, ...text('root:x:0:\nwww-data:x:33:\nshared:x:500:app\napp:x:1000:\n') },
];

/** Something of every kind that a build may meet. */
const furniture: readonly TarEntry[] = [
  { path: 'etc/motd', mode: 0o644, ...text('welcome\n') },
  { path: 'opt/old', type: 'dir', mode: 0o755 },
  { path: 'opt/old/a', mode: 0o644, ...text('a\n') },
  { path: 'opt/old/b', mode: 0o640, gid: 33, ...text('b\n') },
  { path: 'opt/old/deep', type: 'dir', mode: 0o2775, gid: 500 },
  { path: 'opt/old/deep/c', mode: 0o644, uid: 33, gid: 33, ...text('c\n') },
  { path: 'opt/pair-1', mode: 0o644, ...text('one file, two names\n') },
  { path: 'opt/pair-2', type: 'hardlink', mode: 0o644, link: 'opt/pair-1' },
  { path: 'opt/link', type: 'symlink', mode: 0o777, link: 'old' },
  { path: 'opt/absolute', type: 'symlink', mode: 0o777, link: '/opt/old' },
  { path: 'opt/setuid', mode: 0o4755, ...text('#!/bin/sh\nid -u\n') },
];

/** A base of 2 MB with a shell: one layer of busybox and much furniture, a second one that removes `opt/gone`. */
export async function busyboxBase(): Promise<BaseImage> {
  return image('busybox', 'localhost/tsbuild-test/busybox:1', (folder) =>
    writeLayout(folder, busyboxLayers(), { Env: ['PATH=/bin:/usr/bin'], Cmd: ['/bin/sh'] }),
  );
}

/** The layers of `busyboxBase` under a configuration that changes nothing of what a step sees. */
export async function relabelledBase(): Promise<BaseImage> {
  return image('relabelled', 'localhost/tsbuild-test/relabelled:1', (folder) => {
    const config: ImageConfig = { Env: ['PATH=/bin:/usr/bin'], Cmd: ['/bin/true'], Labels: { new: 'yes' } };
    writeLayout(folder, busyboxLayers(), config);
  });
}

/** As `busyboxBase`, with a configuration of its own to inherit, and ONBUILD triggers. */
export async function triggeringBase(): Promise<BaseImage> {
  return image('triggers', 'localhost/tsbuild-test/triggers:1', (folder) => {
    const config: ImageConfig = {
      Env: ['PATH=/bin:/usr/bin', 'INHERITED=yes'],
      Cmd: ['/bin/sh'],
      User: 'app',
      WorkingDir: '/home/app',
      Labels: { origin: 'base' },
      OnBuild: ['COPY trigger.txt /triggered.txt', 'RUN cat /triggered.txt > /tmp/seen'],
    };
    writeLayout(folder, [ustar([...skeleton, ...busyboxEntries()])], config);
  });
}

/** Without any file, and with every setting that an image can hand on, also such as nobody knows. */
export async function configuredBase(): Promise<BaseImage> {
  return image('configured', 'localhost/tsbuild-test/configured:1', (folder) => {
    const created = '2001-09-09T01:46:40Z';
    const history = [
      { created, created_by: 'tests' },
      { created, created_by: 'tests', author: 'somebody', comment: 'of the base', empty_layer: true },
    ];
    const more = { author: 'The Base', 'os.features': ['feature'], later: { version: 2 } };
    const config: ImageConfig = {
      Env: ['FIRST=1', 'PATH=/base/bin', 'LAST=9'],
      Entrypoint: ['/base-entry'],
      Cmd: ['base', 'command'],
      ArgsEscaped: true,
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/base-volume': {} },
      Labels: { origin: 'base', kept: 'yes' },
      User: '7:7',
      WorkingDir: '/base/work',
      StopSignal: 'SIGQUIT',
      Shell: ['/base/sh', '-c'],
      Healthcheck: { Test: ['CMD', 'base'], Interval: 1_000_000_000 },
      Unheard: { of: true },
    };
    writeWholeLayout(folder, [ustar([directory('base')])], { ...more, config, history });
  });
}

/** All that the cases build on. */
export async function caseBases(): Promise<BaseImage[]> {
  return [await busyboxBase(), await relabelledBase(), await triggeringBase(), await configuredBase()];
}

/**
 * Debian, small but with apt, made by mmdebstrap from the host's own apt sources; what the host needs to reach them
 * (apt settings, certificate authorities) is copied in, so that `RUN apt-get install` works where the host's does.
 */
export async function debianBase(suite: string): Promise<BaseImage> {
  return image(`debian-${suite}`, `localhost/tsbuild-test/debian:${suite}`, async (folder) => {
    const tar = join(folder, '..', `debian-${suite}.tar`);
    const sources = join(folder, '..', `debian-${suite}.sources`);
    writeFileSync(sources, await debianSources(suite));
    const settings = '/etc/apt/apt.conf.d';
    const hook = `--customize-hook=sync-in ${settings} ${settings}`;
    await must([
      'mmdebstrap',
      ...smallDebian,
      '--include=ca-certificates',
      hook,
      ...caHook(),
      suite,
      tar,
      sources,
    ]);
    writeLayout(folder, [readFileSync(tar)], {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    });
    await must(['rm', tar, sources]);
  });
}

/**
 * Flags of mmdebstrap. As in Debian's own small images; and without waiting for the disk, which is no part of what is
 * tested: what a build installs later follows these settings too.
 */
export const smallDebian = [
  '--variant=apt',
  '--dpkgopt=path-exclude=/usr/share/locale/*',
  '--dpkgopt=path-exclude=/usr/share/doc/*',
  '--dpkgopt=force-unsafe-io',
];

/** Where the packages of a suite come from, in the deb822 form: from where this machine has its own. */
export async function debianSources(suite: string): Promise<string> {
  return sourcesFor(suite, await hostSources());
}

/** The host's apt sources in the deb822 form, all files together. */
async function hostSources(): Promise<string> {
  const command = 'cat /etc/apt/sources.list.d/*.sources 2>/dev/null; true';
  const modern = await must(['sh', '-c', command]);
  if (/^URIs:/m.test(modern)) return modern;
  const lines = await must([
    'sh',
    '-c',
    'cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null; true',
  ]);
  const uri = lines.match(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/m)?.[1];
  if (uri === undefined) throw new Error('no apt source found below /etc/apt');
  return `Types: deb\nURIs: ${uri}\nSuites: x\nComponents: main\n`;
}

/** The first archive of the sources, for another suite of the same distribution. */
function sourcesFor(suite: string, sources: string): string {
  const first = sources.split(/\n\s*\n/).find((part) => /^URIs:/m.test(part)) ?? sources;
  const lines = first.split('\n').filter((line) => !line.startsWith('#') && line.trim() !== '');
  return `${lines.map((line) => (line.startsWith('Suites:') ? `Suites: ${suite}` : line)).join('\n')}\n`;
}

/** Certificate authorities that the host's administrator added are trusted in the image too. */
function caHook(): string[] {
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  return existsSync(bundle) ? [`--customize-hook=upload ${bundle} ${bundle}`] : [];
}

/** The image `name`, made once for a run of all tests by `make`, which writes its layout. */
export async function image(
  key: string,
  name: string,
  make: (layout: string) => Promise<void> | void,
): Promise<BaseImage> {
  const folder = await once(`base-${key}`, async (temporary) => {
    const layout = join(temporary, 'layout');
    await must(['mkdir', layout]);
    await make(layout);
    await must([
      'skopeo',
      'copy',
      '-q',
      `oci:${layout}:image`,
      `docker-archive:${temporary}/archive.tar:${name}`,
    ]);
    await must(['chmod', '-R', 'a+rX', temporary]);
  });
  return { name, layout: join(folder, 'layout'), archive: join(folder, 'archive.tar') };
}

function busyboxLayers(): Buffer[] {
  const gone: TarEntry = { path: 'opt/gone', mode: 0o644, ...text('gone\n') };
  const first = ustar([...skeleton, ...busyboxEntries(), ...furniture, gone]);
  return [first, ustar([{ path: 'opt/.wh.gone', mode: 0o600, ...text('') }])];
}

function busyboxEntries(): TarEntry[] {
  if (!has(busybox)) throw new Error(`${busybox} is missing: apt-get install busybox-static`);
  const applets = [
    'sh',
    'cat',
    'chgrp',
    'chmod',
    'chown',
    'cmp',
    'cp',
    'cut',
    'date',
    'dd',
    'echo',
    'env',
    'false',
    'find',
  ];
  const more = [
    'grep',
    'head',
    'hostname',
    'id',
    'ip',
    'kill',
    'ln',
    'ls',
    'md5sum',
    'mkdir',
    'mkfifo',
    'mknod',
    'mount',
    'mv',
  ];
  const rest = [
    'nc',
    'ping',
    'printf',
    'ps',
    'pwd',
    'readlink',
    'rm',
    'rmdir',
    'sed',
    'seq',
    'sha256sum',
    'sleep',
    'sort',
  ];
  const last = [
    'stat',
    'su',
    'sync',
    'tail',
    'tar',
    'tee',
    'test',
    'touch',
    'tr',
    'true',
    'umount',
    'uname',
    'wc',
    'xargs',
    'yes',
  ];
  const links = [...applets, ...more, ...rest, ...last]
    .sort()
    .map((applet): TarEntry => ({ path: `bin/${applet}`, type: 'symlink', mode: 0o777, link: 'busybox' }));
  const program: TarEntry = {
    path: 'bin/busybox',
    type: 'file',
    mode: 0o755,
    content: readFileSync(busybox),
  };
  return [directory('bin'), program, ...links];
}

function directory(path: string): TarEntry {
  return { path, type: 'dir', mode: 0o755 };
}

function passwd(): string {
  return [
    'root:x:0:0:root:/root:/bin/sh',
    'www-data:x:33:33:www-data:/var/www:/bin/false',
    'app:x:1000:1000:app:/home/app:/bin/sh',
    '',
  ].join('\n');
}
