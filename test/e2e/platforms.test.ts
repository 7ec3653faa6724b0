import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxIndex, type IndexBase } from '../support/index-layout.ts';
import { must, type Outcome } from '../support/programs.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { isRoot, skip } from '../support/skips.ts';
import { newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox', 'crun'] };
const isSkipped = skip('images for several platforms', needs) || !hasRegistryServer();
const both = ['--platform', 'linux/amd64,linux/arm64'];

/** A tool that is built once, what is built for each target on this machine, and a result of the target's base. */
const cross = `ARG BASE=localhost/tsbuild-test/several:1
FROM --platform=$BUILDPLATFORM $BASE AS tool
RUN echo made once; date +%s%N > /tool
FROM --platform=$BUILDPLATFORM $BASE AS compile
ARG TARGETPLATFORM TARGETARCH TARGETVARIANT BUILDPLATFORM
RUN echo "$BUILDPLATFORM to $TARGETPLATFORM: $TARGETARCH$TARGETVARIANT" > /program
FROM $BASE
COPY --from=tool /tool /opt/tool
COPY --from=compile /program /opt/program
CMD ["cat", "/opt/program"]
`;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly platform?: { readonly architecture: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Index extends Descriptor {
  readonly manifests: readonly Descriptor[];
}
interface Config {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

describe.skipIf(isSkipped).each(people)('several platforms, as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let registry: RegistryServer;
  let base: IndexBase;

  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    registry = await startRegistryServer();
    base = await busyboxIndex();
    await must([
      'skopeo',
      'copy',
      '-q',
      '--all',
      '--dest-tls-verify=false',
      `oci:${base.layout}:image`,
      remote('several:1'),
    ]);
    context('context', cross);
    await tsbuild.give(tsbuild.folder);
    expect(await tsbuild.must(['load', '-i', base.archive])).toBe(`${base.name}\n`);
  });
  afterAll(async () => {
    await registry?.stop();
    await tsbuild?.[Symbol.asyncDispose]();
  });

  const image = (name: string): string => `${registry.host}/${name}`;
  const remote = (name: string): string => `docker://${image(name)}`;
  const path = (name: string): string => join(tsbuild.folder, name);
  const context = (name: string, containerfile: string): void => {
    mkdirSync(path(name), { recursive: true });
    writeFileSync(join(path(name), 'Containerfile'), containerfile);
  };
  const build = (...args: string[]): Promise<Outcome> =>
    tsbuild.run(['build', '--progress', 'plain', ...args]);
  const built = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await build(...args);
    expect(code, stderr).toBe(0);
    return stderr;
  };
  const skopeo = (...args: string[]): Promise<string> => must(['skopeo', ...args]);
  const raw = async (name: string): Promise<Index> => JSON.parse(await rawText(name)) as Index;
  const rawText = (name: string): Promise<string> => skopeo('inspect', '--raw', '--tls-verify=false', name);
  const configOf = async (name: string, platform: string): Promise<Config> => {
    const [os, arch, variant] = platform.split('/') as [string, string, string?];
    const choice = [
      '--override-os',
      os,
      '--override-arch',
      arch,
      ...(variant ? ['--override-variant', variant] : []),
    ];
    return JSON.parse(
      await skopeo(...choice, 'inspect', '--config', '--raw', '--tls-verify=false', name),
    ) as Config;
  };
  const json = <T>(file: string): T => JSON.parse(readFileSync(path(file), 'utf8')) as T;
  const architectures = ({ manifests }: Index): string[] =>
    manifests.map(({ platform }) => [platform?.architecture, platform?.variant].filter(Boolean).join('/'));

  it('are compiled on this machine, what they share once, into a layout that skopeo copies whole', async () => {
    const said = await built(
      '--no-cache',
      ...both,
      '-o',
      'type=oci,tar=false,dest=layout,name=x:1',
      'context',
    );
    expect(said.match(/ made once$/gm)).toHaveLength(1);
    expect(said).toContain('[linux/amd64->arm64 compile 2/2] RUN');
    expect(said).toContain('[linux/arm64 stage-2 2/3] COPY --from=tool');
    await skopeo('copy', '-q', '--all', `oci:${path('layout')}`, `oci:${path('copied')}:image`);
    expect(architectures(await raw(`oci:${path('copied')}:image`))).toEqual(['amd64', 'arm64']);
    const configs = await Promise.all(
      ['linux/amd64', 'linux/arm64'].map((one) => configOf(`oci:${path('copied')}:image`, one)),
    );
    expect(configs.map(({ architecture }) => architecture)).toEqual(['amd64', 'arm64']);
    const [own, foreign] = configs.map(({ rootfs }) => rootfs.diff_ids);
    expect(own!.slice(0, -1)).toEqual(foreign!.slice(0, -1));
    expect(own!.at(-1)).not.toBe(foreign!.at(-1));
  });

  it('are an index under one name of the store, which every command takes', async () => {
    await built(...both, '-t', 'app:1', '--iidfile', 'id', 'context');
    const rows = JSON.parse(await tsbuild.must(['images', '--format', 'json'])) as {
      name: string;
      platform: string;
      id: string;
    }[];
    const own = rows.filter(({ name }) => name.endsWith('/app')).map(({ platform }) => platform);
    expect(own.sort()).toEqual(['linux/amd64', 'linux/arm64']);
    const [shown] = JSON.parse(await tsbuild.must(['inspect', 'app:1'])) as {
      Architecture: string;
      Platforms: object[];
    }[];
    expect(shown).toMatchObject({ Architecture: 'amd64' });
    expect(shown!.Platforms).toHaveLength(2);
    expect(await tsbuild.must(['history', 'app:1'])).toContain('COPY /program /opt/program');
    expect(await tsbuild.must(['run', 'app:1'])).toBe('linux/amd64 to linux/amd64: amd64\n');
    await tsbuild.must(['tag', 'app:1', 'other:1']);
    const digest = (await tsbuild.must(['push', 'other:1', image('pushed:1')])).trim();
    expect(digest).toBe(readFileSync(path('id'), 'utf8'));
    const index = await raw(remote('pushed:1'));
    expect(architectures(index)).toEqual(['amd64', 'arm64']);
    await skopeo(
      'copy',
      '-q',
      '--all',
      '--src-tls-verify=false',
      remote('pushed:1'),
      `oci:${path('pulled')}:image`,
    );
    await tsbuild.must(['save', 'other:1', '-o', path('saved.tar')]);
    await skopeo('copy', '-q', '--all', `oci-archive:${path('saved.tar')}`, `oci:${path('saved')}:image`);
    expect(await rawText(`oci:${path('saved')}:image`)).toBe(await rawText(remote('pushed:1')));
    const foreign = rows.find(
      ({ name, platform }) => name.endsWith('/app') && platform === 'linux/arm64',
    )!.id;
    expect(await tsbuild.must(['rmi', '--force', foreign])).toBe(`removed ${foreign}\n`);
    expect((await tsbuild.must(['images'])).match(/(app|other) .*linux\/arm64/)).toBeNull();
    await tsbuild.must(['rmi', 'app:1', 'other:1']);
    expect(await tsbuild.must(['images'])).not.toMatch(/app|other/);
    await tsbuild.must(['load', '-i', path('saved.tar')]);
    expect((await tsbuild.must(['push', 'other:1', image('again:1')])).trim()).toBe(digest);
  });

  it('are pushed with the index last, under every name, with annotations of every level', async () => {
    const annotations = [
      'index:a=1',
      'manifest[linux/arm64]:b=2',
      'manifest-descriptor:c=3',
      'index,manifest:d=4',
    ];
    const flags = annotations.flatMap((one) => ['--annotation', one]);
    const before = registry.log().length;
    await built(
      ...both,
      ...flags,
      '-t',
      image('noted:1'),
      '-t',
      image('noted:2'),
      '--push',
      '--metadata-file',
      'm',
      'context',
    );
    const puts = [
      ...registry
        .log()
        .slice(before)
        .matchAll(/"PUT \/v2\/noted\/manifests\/(\S+) /g),
    ].map(([, name]) => name);
    expect(puts).toEqual([expect.stringMatching(/^sha256:/), expect.stringMatching(/^sha256:/), '1', '2']);
    const index = await raw(remote('noted:2'));
    expect(index.annotations).toEqual({ a: '1', d: '4' });
    expect(index.manifests.map(({ annotations }) => annotations)).toEqual([{ c: '3' }, { c: '3' }]);
    const [amd64, arm64] = await Promise.all(
      index.manifests.map(({ digest }) => raw(remote(`noted@${digest}`))),
    );
    expect([amd64!.annotations, arm64!.annotations]).toEqual([{ d: '4' }, { b: '2', d: '4' }]);
    const metadata = json<Record<string, unknown>>('m');
    expect(metadata).toMatchObject({
      'containerimage.descriptor': { mediaType: 'application/vnd.oci.image.index.v1+json' },
      'containerimage.digest/linux/arm64': index.manifests[1]!.digest,
      'image.name': `${image('noted:1')},${image('noted:2')}`,
    });
    expect(
      (await skopeo('manifest-digest', await toFile('noted', await rawText(remote('noted:1'))))).trim(),
    ).toBe(metadata['containerimage.digest']);
  });
  const toFile = async (name: string, text: string): Promise<string> => {
    await must(['mkdir', '-p', path('raw')]);
    writeFileSync(join(path('raw'), name), text);
    return join(path('raw'), name);
  };

  it('are joined from single images, of the store and of a registry, and pushed as an index', async () => {
    const one = (platform: string, name: string) => built('--platform', platform, '-t', name, 'context');
    await one('linux/amd64', 'joined:amd64');
    await one('linux/arm64', image('joined:arm64'));
    await tsbuild.must(['push', image('joined:arm64')]);
    await tsbuild.must(['rmi', image('joined:arm64')]);
    const before = registry.log().length;
    await tsbuild.must(['manifest', 'create', 'joined:1', 'joined:amd64', image('joined:arm64')]);
    expect(registry.log().slice(before)).not.toMatch(/GET \S+blobs\S+ HTTP\S+ 200 [0-9]{5}/);
    const text = await tsbuild.must(['manifest', 'inspect', 'joined:1']);
    const noted = ['--annotation', 'index:a=1', '--annotation', 'manifest-descriptor[linux/arm64]:b=2'];
    const plain = (await tsbuild.must(['manifest', 'push', 'joined:1', image('joined:1')])).trim();
    expect(await tsbuild.must(['manifest', 'inspect', image('joined:1')])).toBe(text);
    expect((await skopeo('manifest-digest', await toFile('joined', text.trimEnd()))).trim()).toBe(plain);
    await tsbuild.must(['manifest', 'push', ...noted, 'joined:1', image('joined:2')]);
    const index = await raw(remote('joined:2'));
    expect(architectures(index)).toEqual(['amd64', 'arm64']);
    expect(index.annotations).toEqual({ a: '1' });
    expect(index.manifests.map(({ annotations }) => annotations)).toEqual([undefined, { b: '2' }]);
    // The members of an index are joined anew, and a single image has an index where one is asked for.
    await tsbuild.must(['manifest', 'create', 'joined:3', image('joined:2')]);
    expect(await tsbuild.must(['manifest', 'inspect', 'joined:3'])).toBe(text);
    await tsbuild.must(['manifest', 'push', 'joined:amd64', image('joined:4')]);
    expect(architectures(await raw(remote('joined:4')))).toEqual(['amd64']);
    const twice = await tsbuild.run(['manifest', 'create', 'x', 'joined:1', 'joined:amd64']);
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('are for linux/amd64')]);
    const unfit = await tsbuild.run(['push', '--annotation', 'index:a=1', 'joined:amd64', image('joined:5')]);
    expect([unfit.code, unfit.stderr]).toEqual([2, expect.stringContaining('has no index')]);
  });

  it('are a manifest list in docker’s format, which docker’s descendants read', async () => {
    await built(...both, '--format', 'docker', '-t', image('listed:1'), '--push', 'context');
    const list = await raw(remote('listed:1'));
    expect(list.mediaType).toBe('application/vnd.docker.distribution.manifest.list.v2+json');
    expect(list.manifests.map(({ mediaType }) => mediaType)).toEqual([
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
    ]);
    if (who === 'user' || skip('buildah manifest inspect', { programs: ['buildah'] })) return;
    writeFileSync(path('registries.conf'), `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`);
    const store = ['--storage-driver', 'vfs', '--root', path('b/root'), '--runroot', path('b/run')];
    const known = ['--registries-conf', path('registries.conf')];
    const seen = JSON.parse(
      await must(['buildah', ...known, ...store, 'manifest', 'inspect', image('listed:1')]),
    ) as Index;
    expect(architectures(seen)).toEqual(['amd64', 'arm64']);
  });

  it('are built on the base of their own, of the store and of a registry', async () => {
    const from = ['--build-arg', `BASE=${image('several:1')}`];
    const platforms = ['linux/arm/v7', 'linux/386', 'linux/arm64'];
    await built(...from, '--platform', platforms.join(), '-o', 'type=oci,tar=false,dest=bases', 'context');
    const layout = `oci:${path('bases')}`;
    await skopeo('copy', '-q', '--all', layout, `oci:${path('bases.copy')}:image`);
    const configs = await Promise.all(
      platforms.map((one) => configOf(`oci:${path('bases.copy')}:image`, one)),
    );
    expect(configs.map(({ architecture, variant }) => [architecture, variant])).toEqual([
      ['arm', 'v7'],
      ['386', undefined],
      ['arm64', undefined],
    ]);
    const before = registry.log().length;
    const again = await built(...from, '--platform', platforms.join(), 'context');
    expect(again).not.toContain('DONE');
    expect(registry.log().slice(before)).toBe('');
    const none = await build(...from, '--platform', 'linux/s390x', 'context');
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('is not there for linux/s390x');
    expect(none.stderr).toContain('linux/amd64, linux/arm64, linux/arm/v7, linux/386');
  });

  it('warn of a base that is there for another machine only', async () => {
    await skopeo('copy', '-q', '--dest-tls-verify=false', `oci:${base.layout}:image`, remote('single:1'));
    context('single', `FROM ${image('single:1')}\nRUN echo its own machine runs it\n`);
    await tsbuild.give(path('single'));
    const said = await built('--platform', 'linux/arm64', '-t', 'single:1', 'single');
    expect(said).toContain(
      `the base image ${image('single:1')} is for "linux/amd64", and the stage for "linux/arm64"`,
    );
    expect(said).toMatch(/ its own machine runs it$/m);
    expect(await architecture('single:1')).toBe('arm64');
  });
  const architecture = async (name: string): Promise<string> => {
    const [shown] = JSON.parse(await tsbuild.must(['inspect', name])) as { Architecture: string }[];
    return shown!.Architecture;
  };

  it('stand in the image as its base has them, where none was asked for', async () => {
    context('written', `FROM --platform=linux/arm64 ${base.name}\nCOPY Containerfile /\n`);
    await tsbuild.give(path('written'));
    await built('-t', 'written:1', 'written');
    expect(await architecture('written:1')).toBe('arm64');
    await built('--platform', 'linux/386', '-t', 'written:2', 'written');
    expect(await architecture('written:2')).toBe('386');
  });

  it('have folders of their own as files', async () => {
    context('files', 'FROM scratch\nARG TARGETARCH\nCOPY <<EOF /sub/arch\n$TARGETARCH\nEOF\n');
    await tsbuild.give(path('files'));
    const platforms = ['--platform', 'amd64,linux/arm/v7'];
    await built(...platforms, '-o', 'out', '-o', 'type=tar,dest=out.tar', 'files');
    const read = (name: string): string => readFileSync(join(path('out'), name, 'sub/arch'), 'utf8');
    expect(['linux_amd64', 'linux_arm_v7'].map(read)).toEqual(['amd64\n', 'arm\n']);
    const listed = (await must(['tar', '-tf', path('out.tar')])).trim().split('\n');
    expect(listed).toEqual(
      ['linux_amd64', 'linux_arm_v7'].flatMap((one) => [`${one}/`, `${one}/sub/`, `${one}/sub/arch`]),
    );
    await built('-o', 'single-out', 'files');
    expect(readdirSync(path('single-out'))).toEqual(['sub']);
  });

  it('may be of another system, whose programs are made on this machine', async () => {
    const text = `FROM --platform=$BUILDPLATFORM ${base.name} AS make
ARG TARGETOS TARGETARCH
RUN echo "$TARGETOS $TARGETARCH" > /program
FROM scratch
COPY --from=make /program /
`;
    context('other-system', text);
    const output = 'type=oci,tar=false,dest=of-darwin';
    await built('--platform', 'darwin/arm64', '-o', 'for-darwin', '-o', output, 'other-system');
    expect(readFileSync(path('for-darwin/program'), 'utf8')).toBe('darwin arm64\n');
    const image = await configOf(`oci:${path('of-darwin')}`, 'darwin/arm64');
    expect(image).toMatchObject({ os: 'darwin', architecture: 'arm64' });
  });

  it('are an index with one platform where the build argument asks for it', async () => {
    const forced = ['--build-arg', 'BUILDKIT_MULTI_PLATFORM=1'];
    await built(...forced, '-t', image('forced:1'), '--push', 'files');
    expect(architectures(await raw(remote('forced:1')))).toEqual(['amd64']);
  });

  it.each(['--load', '--output=type=docker,dest=x.tar'])(
    'are refused with %s before anything is built',
    async (flag) => {
      const refused = await build(...both, flag, 'context');
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('cannot hold an image for several platforms');
      expect(refused.stderr).toContain('type=oci');
    },
  );

  it('are all kept by prune', async () => {
    await built(...both, '-t', 'kept:1', 'context');
    await tsbuild.must(['prune', '--all']);
    await tsbuild.must(['push', 'kept:1', image('kept:1')]);
    await skopeo(
      'copy',
      '-q',
      '--all',
      '--src-tls-verify=false',
      remote('kept:1'),
      `oci:${path('kept')}:image`,
    );
  });
});
