import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { readLayout } from '../support/oci-layout.ts';
import { must } from '../support/programs.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { startS3Server } from '../support/s3-server.ts';
import { isRoot, skip } from '../support/skips.ts';
import { newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';
import { startWorkflowCache } from '../support/workflow-cache.ts';

const isSkipped =
  skip('caches that travel', { programs: ['skopeo', 'busybox', 'docker-registry'] }) || !hasRegistryServer();
/** Another person on another machine, where there can be one. */
const other: Who = isRoot ? 'user' : 'root';

const file = (base: string) => `FROM ${base} AS builder
WORKDIR /src
COPY a .
RUN cat a > b && date >> b && head -c 300000 /dev/urandom > /big
FROM ${base}
COPY --from=builder /src/b /b
RUN --mount=type=cache,id=notes,target=/notes echo "$RANDOM" > /notes/one; date > /made
`;

/** A service for objects, as a build is told of it. */
interface Service {
  readonly site: string;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

describe.skipIf(isSkipped)('caches that travel', () => {
  let first: AsyncDisposable & Tsbuild;
  let registry: RegistryServer;
  let base: string;
  /** The image that the first build made. */
  let made: string;

  beforeAll(async () => {
    registry = await startRegistryServer();
    base = `${registry.host}/base:1`;
    const { layout } = await busyboxBase();
    await must([
      'skopeo',
      'copy',
      '-q',
      '--dest-tls-verify=false',
      `oci:${layout}:image`,
      `docker://${base}`,
    ]);
    first = await newTsbuild('root');
    await prepare(first);
    const cache = `type=registry,ref=${registry.host}/app:cache,mode=max,mounts=all`;
    const told = await build(first, ['-t', `${registry.host}/app:1`, '--push', '--cache-to', cache]);
    expect(told.stderr).not.toContain('CACHED');
    made = told.stdout.trim();
  });
  afterAll(async () => {
    await first?.[Symbol.asyncDispose]();
    await registry?.stop();
  });

  async function prepare(tsbuild: Tsbuild): Promise<void> {
    mkdirSync(join(tsbuild.folder, 'context'));
    writeFileSync(join(tsbuild.folder, 'context/Containerfile'), file(base));
    writeFileSync(join(tsbuild.folder, 'context/a'), 'some text\n');
    await tsbuild.give(tsbuild.folder);
  }

  /** Builds, and gives what was said and what the registries were asked. */
  async function build(tsbuild: Tsbuild, args: readonly string[], from = registry) {
    const before = from.log().length;
    const outcome = await tsbuild.run(['build', '--progress=plain', ...args, 'context']);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    const requests = [
      ...from
        .log()
        .slice(before)
        .matchAll(/"((?:GET|HEAD|POST|PUT) \S+) HTTP[^"]*" (\d+)/g),
    ];
    return { ...outcome, requests: requests.map(([, line, status]) => `${line} ${status}`) };
  }

  const blobsOf = (tsbuild: Tsbuild): number[] => {
    const folder = join(tsbuild.store, 'blobs/v1');
    return readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  };

  it('spare another person with an empty store every step and every layer', async () => {
    await using second = await newTsbuild(other);
    await prepare(second);
    const cache = ['--cache-from', `${registry.host}/app:cache`];
    const told = await build(second, ['-t', `${registry.host}/copy:1`, '--push', ...cache]);
    expect(told.stdout.trim()).toBe(made);
    expect(told.stderr).toMatch(/FINISHED 7 steps, 5 cached in \S+, received [\d.]+k?B, sent [\d.]+k?B$/m);
    // Configurations and the cache's document: no layer.
    const fetched = told.requests.filter((line) => /^GET \/v2\/[^ ]+\/blobs\//.test(line));
    expect(fetched).toHaveLength(2);
    const sent = told.requests.filter((line) => line.startsWith('POST'));
    expect(sent.filter((line) => line.includes('mount=') && line.endsWith(' 201'))).toHaveLength(
      sent.length - 1,
    );
    expect(Math.max(...blobsOf(second))).toBeLessThan(10_000);

    await using elsewhere = await startServer();
    const away = `${elsewhere.host}/away:1`;
    await build(second, ['-t', away, '--push', ...cache, '--cache-to', `${elsewhere.host}/away:cache`]);
    expect(Math.max(...blobsOf(second))).toBeLessThan(10_000);
    const copy = join(first.folder, 'copy');
    await must(['skopeo', 'copy', '-q', '--src-tls-verify=false', `docker://${away}`, `oci:${copy}:image`]);
    expect(readLayout(copy).manifest.config.digest).toBe(made);
  });

  it('are kept by services for objects, from which an image is whole once it is built', async () => {
    const services = await startServices(join(first.folder, 's3'));
    for (const { site, env, stop } of services) {
      await first.must(['build', '--cache-to', `${site},mode=max`, 'context'], { env });
      await using second = await newTsbuild('root');
      await prepare(second);
      const told = await second.run(
        ['build', '--progress=plain', '-t', 'app', '--cache-from', site, 'context'],
        { env },
      );
      expect(told, told.stderr).toMatchObject({ code: 0, stdout: `${made}\n` });
      expect(told.stderr).toContain('FINISHED 7 steps, 5 cached');
      await stop();
      await second.must(['save', 'app', '-o', 'app.tar']);
    }
  });

  it('fail the build where they cannot be put, unless that was said to be no matter', async () => {
    writeFileSync(join(first.folder, 'file'), '');
    const cache = 'type=local,dest=file/cache';
    const failed = await first.run(['build', '--cache-to', cache, 'context']);
    expect([failed.code, failed.stdout]).toEqual([1, '']);
    expect(failed.stderr).toMatch(/error: the cache could not be exported to \S+file\/cache: /);
    const told = await build(first, ['--cache-to', `${cache},ignore-error=true`]);
    expect(told.stderr).toMatch(/WARNING: the cache was not exported to \S+file\/cache: /);
  });

  it('do without what is gone, and have only what a step needs that runs', async () => {
    await using second = await newTsbuild('root');
    await prepare(second);
    writeFileSync(join(second.folder, 'context/Containerfile'), `${file(base)}RUN cat /b /made > /all\n`);
    const told = await build(second, ['--cache-from', `${registry.host}/app:cache`]);
    expect(told.stderr.match(/CACHED/g)).toHaveLength(5);
    const isOwn = (line: string) => /^GET \/v2\/app\/blobs\//.test(line);
    // The document, and the two layers below the new step: none of the other stage.
    expect(told.requests.filter(isOwn)).toHaveLength(3);

    const gone = told.requests.filter(isOwn).at(-1)!.split(' ')[1]!;
    await fetch(`http://${registry.host}${gone}`, { method: 'DELETE' });
    await using third = await newTsbuild('root');
    await prepare(third);
    writeFileSync(join(third.folder, 'context/Containerfile'), `${file(base)}RUN cat /b /made > /all\n`);
    const again = await build(third, ['--cache-from', `${registry.host}/app:cache`]);
    expect(again.stderr).toMatch(/WARNING: the layer sha256:\w+ cannot be had any more/);
  });
});

async function startServices(folder: string): Promise<readonly Service[]> {
  const [s3, workflow] = [await startS3Server(folder), await startWorkflowCache()];
  const { accessKeyId, secretAccessKey } = s3.keys;
  return [
    {
      site: `type=s3,bucket=${s3.bucket},region=us-east-1,prefix=p/,endpoint_url=${s3.origin}`,
      env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      stop: () => s3.stop(),
    },
    {
      site: 'type=gha,scope=main',
      env: { ACTIONS_RESULTS_URL: `${workflow.origin}/`, ACTIONS_RUNTIME_TOKEN: workflow.token },
      stop: () => workflow.stop(),
    },
  ];
}

async function startServer(): Promise<AsyncDisposable & RegistryServer> {
  const server = await startRegistryServer();
  return { ...server, [Symbol.asyncDispose]: () => server.stop() };
}
