import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { type HttpServer, startHttpServer } from '../support/http-server.ts';
import { must } from '../support/programs.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Manifest extends Descriptor {
  readonly artifactType?: string;
  readonly manifests?: readonly Descriptor[];
  readonly layers: readonly Descriptor[];
  readonly config: Descriptor;
  readonly subject?: Descriptor;
}
interface Statement {
  readonly _type: string;
  readonly subject: readonly object[];
  readonly predicateType: string;
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is what the tests are about.
  readonly predicate: any;
}

const needs = { programs: ['skopeo', 'busybox', 'openssl'] };
const isSkipped = skip('attestations', needs) || !hasRegistryServer();

describe.skipIf(isSkipped)('attestations', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let registry: RegistryServer;
  let server: HttpServer;

  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    registry = await startRegistryServer();
    server = await startHttpServer((_, response) => void response.end('data\n'));
    await loadBases(tsbuild, [await busyboxBase()]);
    await tsbuild.must(['push', 'localhost/tsbuild-test/busybox:1', image('base:1')]);
    mkdirSync(join(tsbuild.folder, 'context'));
    writeFileSync(
      join(tsbuild.folder, 'context/Containerfile'),
      `FROM ${image('base:1')}\nARG WORD\nADD ${server.origin.replace('//', '//me:pass@')}/data /data\nRUN --mount=type=secret,id=token true\n`,
    );
  });
  afterAll(async () => {
    await server?.stop();
    await registry?.stop();
    await tsbuild?.[Symbol.asyncDispose]();
  });

  const image = (name: string): string => `${registry.host}/${name}`;
  const build = (flags: readonly string[], env: Record<string, string> = {}) =>
    tsbuild.must(['build', '-q', ...flags, 'context'], { env: { TOKEN: 'very secret', ...env } });
  const args = ['--build-arg', 'WORD=word', '--secret', 'id=token,env=TOKEN', '--label', 'a=b'];
  const raw = async (name: string): Promise<Manifest> =>
    JSON.parse(await must(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${image(name)}`]));
  const blob = async (repository: string, { digest }: Descriptor): Promise<string> =>
    (await fetch(`http://${registry.host}/v2/${repository}/blobs/${digest}`)).text();

  it('are absent unless they are asked for', async () => {
    await build([...args, '-t', image('plain:1'), '--push']);
    expect((await raw('plain:1')).manifests).toBeUndefined();
    await build([...args, '-t', image('plain:2'), '--push', '--provenance=false']);
    expect(await raw('plain:2')).toEqual(await raw('plain:1'));
  });

  it('stand beside the image in its index, where docker’s tools look for them', async () => {
    await build([...args, '-t', image('app:1'), '--push', '--provenance=max', '--metadata-file', 'm']);
    const index = await raw('app:1');
    const [own, about, ...others] = index.manifests!;
    expect([own!.platform, others]).toEqual([{ architecture: 'amd64', os: 'linux' }, []]);
    expect(about).toMatchObject({
      platform: { architecture: 'unknown', os: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': own!.digest,
      },
    });
    const attestation = await raw(`app@${about!.digest}`);
    expect(attestation.subject?.digest).toBe(own!.digest);
    expect(attestation.layers.map(({ mediaType, annotations }) => [mediaType, annotations])).toEqual([
      ['application/vnd.in-toto+json', { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' }],
    ]);
    expect(await blob('app', attestation.config)).toBe('{}');
    const metadata = JSON.parse(readFileSync(join(tsbuild.folder, 'm'), 'utf8')) as Record<string, unknown>;
    expect(metadata['containerimage.config.digest']).toBe((await raw(`app@${own!.digest}`)).config.digest);
    // Others copy all of it; pulling takes the image.
    await must([
      'skopeo',
      'copy',
      '-q',
      '--all',
      '--src-tls-verify=false',
      `docker://${image('app:1')}`,
      `oci:${join(tsbuild.folder, 'copy')}:x`,
    ]);
    await tsbuild.must(['pull', image('app:1')]);
    await tsbuild.must(['manifest', 'create', 'joined:1', `docker://${image('app:1')}`]);
  });

  it('say what was built, of what, and nothing secret', async () => {
    const about = (await raw('app:1')).manifests![1]!;
    const text = await blob('app', (await raw(`app@${about.digest}`)).layers[0]!);
    const statement = JSON.parse(text) as Statement;
    const hex = (await raw('app:1')).manifests![0]!.digest.slice(7);
    expect([statement._type, statement.subject]).toEqual([
      'https://in-toto.io/Statement/v1',
      [
        {
          name: `pkg:docker/${encodeURIComponent(registry.host)}/app@1?platform=linux%2Famd64`,
          digest: { sha256: hex },
        },
      ],
    ]);
    const { buildDefinition, runDetails } = statement.predicate;
    expect(buildDefinition.externalParameters.request).toEqual({
      frontend: 'dockerfile.v0',
      args: { 'build-arg:WORD': 'word', 'label:a': 'b' },
      secrets: [{ id: 'token', optional: true }],
      locals: [{ name: 'context' }, { name: 'dockerfile' }],
    });
    const base = await must([
      'skopeo',
      'inspect',
      '--format',
      '{{.Digest}}',
      '--tls-verify=false',
      `docker://${image('base:1')}`,
    ]);
    expect(buildDefinition.resolvedDependencies).toEqual([
      { uri: `${server.origin}/data`, digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      {
        uri: `pkg:docker/${encodeURIComponent(registry.host)}/base@1?platform=linux%2Famd64`,
        digest: { sha256: base.trim().slice(7) },
      },
    ]);
    expect(Date.parse(runDetails.metadata.finishedOn)).toBeGreaterThanOrEqual(
      Date.parse(runDetails.metadata.startedOn),
    );
    const [source] = buildDefinition.internalParameters.buildConfig.source.infos;
    const shown = Buffer.from(source.data, 'base64').toString();
    expect(shown).toContain('ARG WORD');
    expect(shown).not.toContain('me:pass');
    expect(text).not.toContain('very secret');
  });

  it('tell less by default, and who built it where CI says so', async () => {
    const ci = { GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: 'me/app', GITHUB_RUN_ID: '7' };
    await build([...args, '-o', 'type=oci,tar=false,dest=layout', '--provenance'], ci);
    const of = ({ digest }: Descriptor) =>
      JSON.parse(readFileSync(join(tsbuild.folder, 'layout/blobs/sha256', digest.slice(7)), 'utf8'));
    const top = JSON.parse(readFileSync(join(tsbuild.folder, 'layout/index.json'), 'utf8')) as Manifest;
    const { predicate } = of(of(of(top.manifests![0]!).manifests[1]).layers[0]) as Statement;
    expect(predicate.runDetails.builder.id).toBe('https://git.example/me/app/actions/runs/7');
    expect(predicate.buildDefinition.externalParameters.request.args).toBeUndefined();
    expect(predicate.buildDefinition.internalParameters).toEqual({ builderPlatform: 'linux/amd64' });
  });

  it('list the packages that the image holds, as SPDX and CycloneDX', async () => {
    const folder = join(tsbuild.folder, 'packages');
    mkdirSync(join(folder, 'node_modules/left-pad'), { recursive: true });
    writeFileSync(
      join(folder, 'node_modules/left-pad/package.json'),
      '{"name":"left-pad","version":"1.3.0","license":"MIT"}',
    );
    const status = 'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2\n';
    writeFileSync(
      join(folder, 'Containerfile'),
      `FROM scratch\nCOPY <<EOF /var/lib/dpkg/status\n${status}EOF\nCOPY <<EOF /var/lib/rpm/rpmdb.sqlite\nno database\nEOF\nCOPY node_modules /app/node_modules\n`,
    );
    await tsbuild.must([
      'build',
      '-q',
      '-t',
      image('listed:1'),
      '--push',
      '--sbom=spdx,cyclonedx',
      'packages',
    ]);
    const about = await raw(`listed@${(await raw('listed:1')).manifests![1]!.digest}`);
    const documents = await Promise.all(
      about.layers.map(async (layer) => JSON.parse(await blob('listed', layer)) as Statement),
    );
    expect(documents.map(({ predicateType }) => predicateType)).toEqual([
      'https://spdx.dev/Document',
      'https://cyclonedx.org/bom',
    ]);
    const [spdx, cyclonedx] = documents.map(({ predicate }) => predicate);
    const purls = ['pkg:deb/zlib1g@1.2?arch=amd64', 'pkg:npm/left-pad@1.3.0'];
    const listed = spdx.packages.slice(1) as {
      externalRefs: { referenceLocator: string }[];
      licenseDeclared: string;
    }[];
    expect(listed.map(({ externalRefs }) => externalRefs[0]!.referenceLocator)).toEqual(purls);
    expect(listed.map(({ licenseDeclared }) => licenseDeclared)).toEqual(['NOASSERTION', 'MIT']);
    expect([spdx.spdxVersion, spdx.relationships.length]).toEqual(['SPDX-2.3', 3]);
    const components = cyclonedx.components as { purl: string; licenses?: object[] }[];
    expect(components.map(({ purl }) => purl).sort()).toEqual(purls);
    expect(components.find(({ purl }) => purl === purls[1])!.licenses).toEqual([{ license: { id: 'MIT' } }]);
    expect([cyclonedx.bomFormat, cyclonedx.specVersion]).toEqual(['CycloneDX', '1.6']);
    expect(cyclonedx.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it('are signed with a key as cosign does, each key once, and openssl agrees', async () => {
    const path = (name: string): string => join(tsbuild.folder, name);
    for (const name of ['one', 'two']) {
      await must([
        'openssl',
        'ecparam',
        '-name',
        'prime256v1',
        '-genkey',
        '-noout',
        '-out',
        path(`${name}.pem`),
      ]);
      await must(['openssl', 'ec', '-in', path(`${name}.pem`), '-pubout', '-out', path(`${name}.pub`)]);
    }
    const signed = [...args, '--provenance', '-t', image('signed:1'), '--push', '--sign'];
    const epoch = { SOURCE_DATE_EPOCH: '1700000000' };
    await build([...signed, 'one.pem'], epoch);
    await build([...signed, 'one.pem'], epoch);
    await tsbuild.must(['push', '--sign', 'env://KEY', image('signed:1'), image('plainly:1')], {
      env: { KEY: readFileSync(path('two.pem'), 'utf8') },
    });
    await build([...signed, 'two.pem'], epoch);
    const { headers } = await fetch(`http://${registry.host}/v2/signed/manifests/1`, {
      headers: { accept: 'application/vnd.oci.image.index.v1+json' },
    });
    const digest = headers.get('docker-content-digest')!;
    const { layers } = await raw(`signed:${digest.replace(':', '-')}.sig`);
    expect(layers.map(({ mediaType }) => mediaType)).toEqual(
      Array(2).fill('application/vnd.dev.cosign.simplesigning.v1+json'),
    );
    for (const [i, name] of ['one', 'two'].entries()) {
      const payload = await blob('signed', layers[i]!);
      expect(JSON.parse(payload).critical).toEqual({
        identity: { 'docker-reference': image('signed') },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      });
      writeFileSync(path('payload'), payload);
      writeFileSync(
        path('signature'),
        Buffer.from(layers[i]!.annotations!['dev.cosignproject.cosign/signature']!, 'base64'),
      );
      await must([
        'openssl',
        'dgst',
        '-sha256',
        '-verify',
        path(`${name}.pub`),
        '-signature',
        path('signature'),
        path('payload'),
      ]);
    }
    if (!skip('cosign verify', { programs: ['cosign'] })) {
      const insecure = ['--insecure-ignore-tlog', '--allow-insecure-registry', '--allow-http-registry'];
      await must(['cosign', 'verify', '--key', path('one.pub'), ...insecure, image('signed:1')]);
    }
    const unsigned = await tsbuild.run(['build', '--sign', 'one.pem', 'context']);
    expect([unsigned.code, unsigned.stderr]).toEqual([2, expect.stringContaining('nothing is')]);
  });

  it('are warned of where nothing carries them', async () => {
    const { stderr } = await tsbuild.run(['build', '--provenance', '-o', 'files', 'context'], {
      env: { TOKEN: 'very secret' },
    });
    expect(stderr).toContain('WARNING: attestations are left out');
  });

  it('are the same bytes for the same build where the epoch is set', async () => {
    const flags = [...args, '--provenance=max', '--push', '-t', image('app:2')];
    const ci = { GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: 'me/app' };
    const digests = new Set<string>();
    for (const run of ['1', '2']) {
      const env = { TOKEN: 'very secret', SOURCE_DATE_EPOCH: '1700000000', ...ci, GITHUB_RUN_ID: run };
      const [cwd, context] =
        run === '1' ? [tsbuild.folder, 'context'] : [join(tsbuild.folder, 'context'), '.'];
      await tsbuild.must(['build', '-q', ...flags, context], { env, cwd });
      digests.add(JSON.stringify(await raw('app:2')));
    }
    expect(digests.size).toBe(1);
  });

  it('name images of layouts, and no query of an address', async () => {
    await build([...args, '-o', 'type=oci,tar=false,dest=own-base']);
    const folder = join(tsbuild.folder, 'mixed');
    mkdirSync(folder);
    writeFileSync(join(folder, 'Containerfile'), `FROM own\nADD ${server.origin}/data?token=word /data\n`);
    const context = ['--build-context', 'own=oci-layout://own-base', '-t', image('mixed:1'), '--push'];
    await tsbuild.must(['build', '-q', '--provenance', ...context, 'mixed']);
    const about = await raw(`mixed@${(await raw('mixed:1')).manifests![1]!.digest}`);
    const text = await blob('mixed', about.layers[0]!);
    const { predicate } = JSON.parse(text) as Statement;
    const uris = (predicate.buildDefinition.resolvedDependencies as { uri: string }[]).map(({ uri }) => uri);
    expect(uris).toEqual([
      `${server.origin}/data`,
      expect.stringMatching(/^pkg:oci\/own-base@sha256%3A[0-9a-f]{64}$/),
    ]);
    expect(text).not.toContain('token=word');
  });

  it('are images that run nowhere in docker’s format', async () => {
    await build([...args, '--provenance', '--format', 'docker', '-t', image('app:3'), '--push']);
    const index = await raw('app:3');
    const about = await raw(`app@${index.manifests![1]!.digest}`);
    expect([index.mediaType, about.mediaType, about.artifactType]).toEqual([
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
      undefined,
    ]);
    expect(JSON.parse(await blob('app', about.config)).rootfs.diff_ids).toEqual([about.layers[0]!.digest]);
  });
});
