import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mount, SandboxPlan } from '../../builder/sandbox/plan.ts';
import type { Job, JobResult } from '../support/sandbox-driver.ts';
import { layOutTree, SandboxPlace, type TreeFile, type Who } from '../support/sandbox-place.ts';
import { skip } from '../support/skips.ts';

/** A case of testdata/sandbox: what runs, on what, and what must come of it. */
interface Case {
  readonly name: string;
  readonly script?: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly cwd?: string;
  /** uid, gid, groups. */
  readonly user?: readonly [number, number, readonly number[]];
  readonly network?: 'none';
  readonly hosts?: readonly string[];
  readonly insecure?: boolean;
  readonly ulimits?: readonly string[];
  readonly shmSizeBytes?: number;
  /** A layer on top of the common root. */
  readonly tree?: Readonly<Record<string, TreeFile>>;
  /** The machine's own programs and libraries, read-only. */
  readonly system?: boolean;
  readonly copyProbe?: boolean;
  readonly manyLayers?: number;
  readonly mounts?: readonly (Mount | CaseTree | CaseFile)[];
  /** The root is a folder instead of an overlay. */
  readonly copied?: boolean;
  readonly code?: number;
  readonly error?: string;
  readonly stdout?: string;
  readonly stdoutFile?: string;
  readonly stdoutMatches?: string;
  readonly stderrMatches?: string;
  readonly lines?: number;
  readonly bytes?: number;
  readonly residue?: readonly string[];
  /** A path of the machine that must not come to be. */
  readonly outside?: string;
}

interface CaseFile {
  readonly kind: 'file';
  readonly text: string;
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

interface CaseTree {
  readonly kind: 'tree';
  readonly layers: readonly Readonly<Record<string, TreeFile>>[];
  readonly path: string;
  readonly target: string;
  readonly readonly: boolean;
}

const data = new URL('../../testdata/sandbox/', import.meta.url);
const cases = ['process', 'containment', 'mounts'].map((topic) => ({
  topic,
  cases: JSON.parse(readFileSync(new URL(`${topic}.json`, data), 'utf8')) as Case[],
}));
const all = cases.flatMap((group) => group.cases);

describe.skipIf(skip('sandbox engines', { root: true, programs: ['unshare', 'setpriv', 'busybox', 'perl'] }))(
  'engines',
  () => {
    let place: SandboxPlace;
    let greeter: Server;

    beforeAll(async () => {
      place = await SandboxPlace.make();
      greeter = createServer((socket) => socket.on('error', () => {}).end('greeting\n'));
      await new Promise<void>((resolve) => greeter.listen(0, '127.0.0.1', resolve));
    });

    afterAll(() => {
      greeter?.close();
      place?.remove();
    });

    describe.each([
      ['builtin', 'root'],
      ['builtin', 'user'],
      ['crun', 'root'],
      ['crun', 'user'],
      ['runc', 'root'],
      ['runc', 'user'],
    ] as const)('%s as %s', (runtime, who) => {
      if (skip(`the engine ${runtime}`, { programs: runtime === 'builtin' ? [] : [runtime] })) return;
      let results: readonly JobResult[] = [];

      beforeAll(async () => {
        const jobs = all.map((one, at) => jobOf(one, { place, who, at, port: portOf(greeter) }));
        results = await place.perform(who, runtime, jobs);
      });

      for (const { topic, cases: group } of cases) {
        describe(topic, () => {
          it.each(group)('$name', (one) => check(one, results[all.indexOf(one)]!));
        });
      }

      it('leaves no process and no mount', () => {
        expect(processesWith('7123456')).toEqual([]);
        expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(place.folder);
      });
    });
  },
);

function portOf(server: Server): number {
  return (server.address() as { port: number }).port;
}

interface Surroundings {
  readonly place: SandboxPlace;
  readonly who: Who;
  readonly at: number;
  readonly port: number;
}

function jobOf(one: Case, around: Surroundings): Job {
  const { place, port } = around;
  const [uid, gid, groups] = one.user ?? [0, 0, []];
  const home = place.work(around.who);
  const owner = around.who === 'root' ? { uid: 0, gid: 0 } : place.ids;
  for (const name of ['ro', 'rw']) layOutTree(join(home, name), {}, owner);
  const plan: Omit<SandboxPlan, 'root'> = {
    mounts: [...(one.system === true ? [system] : []), ...(one.mounts ?? [])].map((mount, at) =>
      mountOf(mount, { home, at, owner }),
    ),
    process: {
      args: one.args ?? ['/bin/sh', '-c', one.script!.replaceAll('$PORT', String(port))],
      env: ['PATH=/usr/bin:/bin', ...(one.env ?? [])],
      cwd: one.cwd ?? '/',
      uid,
      gid,
      groups,
      terminal: false,
    },
    hostname: 'buildkitsandbox',
    network: one.network ?? 'host',
    hosts: one.hosts ?? [],
    insecure: one.insecure ?? false,
    ulimits: one.ulimits ?? [],
    ...(one.shmSizeBytes !== undefined && { shmSizeBytes: one.shmSizeBytes }),
  };
  return { plan, lower: layersOf(one, { home, root: place.root, owner }), copied: one.copied ?? false };
}

const system: Mount = { kind: 'bind', source: '/usr', target: '/usr', readonly: true };

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function layersOf(one: Case, { home, root, owner }: { home: string; root: string; owner: Owner }): string[] {
  const top = join(home, 'top');
  const probe = readFileSync(new URL('probe.pl', data), 'utf8');
  layOutTree(
    top,
    {
      ...one.tree,
      ...(one.system === true && { lib: { link: 'usr/lib' }, lib64: { link: 'usr/lib64' } }),
      ...(one.copyProbe === true && { 'probe.pl': { text: probe } }),
    },
    owner,
  );
  const many = Array.from({ length: one.manyLayers ?? 0 }, (_, at) =>
    join(home, 'n'.repeat(80), `layer-${at}`),
  );
  for (const [at, layer] of many.entries()) layOutMany(layer, at);
  return [...many, top, root].slice(0, one.manyLayers === 501 ? 501 : undefined);
}

function layOutMany(layer: string, at: number): void {
  mkdirSync(join(layer, `f${at}`), { recursive: true });
}

function mountOf(
  mount: Mount | CaseTree | CaseFile,
  { home, at, owner }: { home: string; at: number; owner: Owner },
): Mount {
  if ('text' in mount) {
    const { text, ...rest } = mount;
    return { ...rest, content: Buffer.from(text) };
  }
  if ('layers' in mount) {
    const { kind, path, target, readonly } = mount;
    const lower = mount.layers.map((tree, number) => {
      const layer = join(home, `mount-${at}-${number}`);
      layOutTree(layer, tree, owner);
      return layer;
    });
    return { kind, tree: { lower }, path, target, readonly };
  }
  return mount.kind === 'bind' ? { ...mount, source: mount.source.replace('$WORK', home) } : mount;
}

function check(one: Case, result: JobResult): void {
  expect(result.error, result.message).toBe(one.error);
  if (one.error !== undefined) return;
  if (one.stdout !== undefined) expect(result.stdout, result.stderr).toBe(one.stdout);
  if (one.stdoutFile !== undefined)
    expect(result.stdout).toBe(readFileSync(new URL(one.stdoutFile, data), 'utf8'));
  if (one.stdoutMatches !== undefined) expect(result.stdout).toMatch(new RegExp(one.stdoutMatches));
  if (one.stderrMatches !== undefined) expect(result.stderr).toMatch(new RegExp(one.stderrMatches, 'i'));
  if (one.lines !== undefined) expect(result.stdout.split('\n')).toHaveLength(one.lines + 1);
  if (one.bytes !== undefined) expect(result.stdoutBytes).toBe(one.bytes);
  if (one.residue !== undefined) expect(result.residue).toEqual(one.residue);
  if (one.outside !== undefined) expect(existsSync(one.outside)).toBe(false);
  expect(result.code, result.stderr).toBe(one.code ?? 0);
}

/** Ids of processes with `mark` among their arguments. */
function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8')
        .split('\0')
        .slice(1)
        .some((word) => word.startsWith(mark));
    } catch {
      return false;
    }
  });
}
