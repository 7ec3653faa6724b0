import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filterRules, ociSeccomp, type Seccomp } from '../../builder/sandbox/seccomp.ts';
import { readYaml } from '../support/docs-commands.ts';
import { parsePage } from '../support/docs-page.ts';
import { type DocsPlace, openDocsPlace } from '../support/docs-place.ts';
import { type HostPlace, inHostPlace, placePrograms } from '../support/host-place.ts';
import { ordinaryUser } from '../support/ordinary-user.ts';
import {
  againstBaseline,
  againstRestricted,
  type Manifest,
  patched,
  podOf,
} from '../support/pod-security.ts';
import { must, type Outcome, run } from '../support/programs.ts';
import { sharedFolder, temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';

const page = parsePage('docs/kubernetes.md', readFileSync('docs/kubernetes.md', 'utf8'));
const profileFile = 'ci/kubernetes/seccomp.json';
const jobs = {
  plain: manifest('job.yaml'),
  run: patched(manifest('job.yaml'), manifest('run.yaml')),
  chroot: patched(manifest('job.yaml'), manifest('chroot.yaml')),
};

describe('the manifests of docs/kubernetes.md', () => {
  it('may run where Pod Security Standards are enforced', () => {
    expect(againstRestricted(jobs.plain)).toEqual([]);
    expect(againstRestricted(jobs.run)).toEqual([]);
    expect(againstBaseline(jobs.chroot)).toEqual([]);
    const own = ['allowPrivilegeEscalation', 'runAsNonRoot', 'capabilities'];
    expect(againstRestricted(jobs.chroot)).toEqual(own);
  });

  it('have the seccomp profile of this version', () => {
    const text = `${JSON.stringify(podProfile(), null, 1)}\n`;
    if (process.env.TSBUILD_TEST_WRITE === '1') writeFileSync(profileFile, text);
    expect(readFileSync(profileFile, 'utf8')).toBe(text);
  });
});

const needs = { root: true, programs: [...placePrograms, 'docker-registry', 'skopeo', 'openssl', 'busybox'] };

describe.skipIf(skip('Jobs of Kubernetes', needs))('a Job of docs/kubernetes.md', () => {
  let place: DocsPlace;
  beforeAll(async () => {
    place = await openDocsPlace([page]);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('builds and pushes in the restricted profile', async () => {
    const { outcome } = await runJob(jobs.plain, '');
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(await pushedFile('etc/app.conf')).toBe(`-rw-r--r-- 0/0 ${fileOf('app.conf')}`);
  });

  it('says in the restricted profile what a RUN lacks', async () => {
    const { outcome } = await runJob(jobs.plain, 'RUN true\n');
    expect(outcome).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('RUN needs a user namespace') as string,
    });
  });

  it.each(['run', 'chroot'] as const)('runs steps, with owners: %s', async (name) => {
    const { outcome } = await runJob(jobs[name], 'RUN chown 5:6 /etc/app.conf && cat /etc/app.conf >/seen\n');
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(await pushedFile('etc/app.conf')).toBe(`-rw-r--r-- 5/6 ${fileOf('app.conf')}`);
    expect(await pushedFile('seen')).toBe(`-rw-r--r-- 0/0 ${fileOf('app.conf')}`);
  });

  /** Runs the command of a Job in a place that is as its pod, with its volumes. */
  async function runJob(job: Manifest, more: string): Promise<{ readonly outcome: Outcome }> {
    await using scratch = temporaryFolder('pod');
    const { container, context } = podOf(job);
    const folder = mkdtempSync(join(scratch.path, 'volumes-'));
    chmodSync(folder, 0o755);
    for (const path of ['var/lib/tsbuild', 'tmp']) emptyDir(join(folder, path));
    keyed(join(folder, 'workspace'), {
      Containerfile: fileOf('Containerfile') + more,
      'app.conf': fileOf('app.conf'),
    });
    keyed(join(folder, 'login'), {
      'config.json': '{"auths":{"registry.example.com":{"auth":"bWU6c2VjcmV0"}}}',
    });
    const inside = (text: string) =>
      text.replace(/^\/(?=var\/lib\/tsbuild|tmp|workspace|login)/, `${folder}/`);
    const variables = container.env as readonly { readonly name: string; readonly value: string }[];
    const env = {
      PATH: process.env.PATH,
      TMPDIR: join(folder, 'tmp'),
      ...place.env,
      ...Object.fromEntries(variables.map(({ name, value }) => [name, inside(value)])),
    };
    const { tsbuild } = await ordinaryUser();
    const words = [tsbuild, ...(container.args as readonly string[]).map(inside)];
    const user = { uid: Number(context.runAsUser), gid: Number(context.runAsGroup) };
    const keep = [folder, sharedFolder(), place.folder];
    const line = inHostPlace(placeOf(job), words, { scratch: scratch.path, user, keep, env, cwd: folder });
    return { outcome: await run(line, { env }) };
  }

  /** Mode, owners and content of a file of the image in the registry; of its last layer that has it. */
  async function pushedFile(path: string): Promise<string> {
    await using scratch = temporaryFolder('pushed');
    const layout = join(scratch.path, 'layout');
    const from = `docker://${place.registry.host}/team/app:1`;
    await must(['skopeo', 'copy', '-q', '--src-tls-verify=false', from, `dir:${layout}`]);
    const { layers } = JSON.parse(readFileSync(join(layout, 'manifest.json'), 'utf8')) as {
      readonly layers: readonly { readonly digest: string }[];
    };
    for (const { digest } of layers.toReversed()) {
      const tar = ['tar', '--numeric-owner', '-f', join(layout, digest.slice('sha256:'.length)), path];
      const listed = await run([...tar, '-tvz']);
      const content = await run([...tar, '-xzO']);
      if (listed.code === 0) return `${listed.stdout.split(/\s+/).slice(0, 2).join(' ')} ${content.stdout}`;
    }
    return 'absent';
  }
});

function manifest(file: string): Manifest {
  return readYaml(fileOf(file))[0] as Manifest;
}

/** A file that the page shows. */
function fileOf(file: string): string {
  const block = page.blocks.find(({ attributes }) => attributes.get('file') === file);
  if (block === undefined) throw new Error(`docs/kubernetes.md has no file ${file}`);
  return block.text;
}

/** What a container runtime makes of a pod's settings. */
function placeOf(job: Manifest): HostPlace {
  const { context } = podOf(job);
  const { type } = context.seccompProfile as { readonly type: string };
  const isBare = JSON.stringify(context.capabilities) === '{"drop":["ALL"]}';
  return {
    about: 'a pod',
    who: context.runAsUser === 0 ? 'root' : 'user',
    capabilities: isBare ? 'none' : 'docker',
    masked: true,
    noNewPrivileges: context.allowPrivilegeEscalation === false,
    readonlyRoot: context.readOnlyRootFilesystem === true,
    ...(type === 'Localhost'
      ? { filter: JSON.parse(readFileSync(profileFile, 'utf8')) as Seccomp }
      : { filtered: true }),
  };
}

/** As kubelet makes them with fsGroup. */
function emptyDir(path: string): void {
  mkdirSync(path, { recursive: true });
  chownSync(path, 0, 1000);
  chmodSync(path, 0o2777);
}

/** A volume of a ConfigMap or a secret: files behind two links, so that all of them change at once. */
function keyed(path: string, files: Readonly<Record<string, string>>): void {
  const data = '..2026_01_01_00_00_00.1';
  mkdirSync(join(path, data), { recursive: true });
  symlinkSync(data, join(path, '..data'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(path, data, name), text);
    symlinkSync(`..data/${name}`, join(path, name));
  }
}

/**
 * Docker's filter for a container without capabilities, and what a user namespace and mounts in it take besides, so that
 * RUN works in a pod that has no right. The kernel lets the calls do nothing outside of such a namespace.
 */
function podProfile(): Seccomp {
  const namespaces = ['clone', 'unshare', 'setns', 'sethostname', 'chroot', 'pivot_root'];
  const mounts = [
    'mount',
    'umount2',
    'open_tree',
    'move_mount',
    'mount_setattr',
    'fsopen',
    'fsconfig',
    'fsmount',
  ];
  // By it owners are recorded: a supervisor looks at the descriptors of its own processes.
  const names = [...namespaces, ...mounts, 'pidfd_getfd'];
  const of = (arch: string) => ociSeccomp(filterRules([], arch, [{ names, action: 'allow' }]), arch);
  const [x64, arm64] = [of('x64'), of('arm64')];
  const known = new Set(x64.syscalls.map((rule) => JSON.stringify(rule)));
  const more = arm64.syscalls.filter((rule) => !known.has(JSON.stringify(rule)));
  const architectures = [...x64.architectures, ...arm64.architectures];
  return { ...x64, architectures, syscalls: [...x64.syscalls, ...more] };
}
