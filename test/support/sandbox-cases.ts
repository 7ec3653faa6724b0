import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Mount, SandboxPlan } from '../../builder/sandbox/plan.ts';
import { answersOf, type Call, callProgram } from './call-program.ts';
import type { Job, JobResult } from './sandbox-driver.ts';
import { layOutTree, type SandboxPlace, type TreeFile, type Who } from './sandbox-place.ts';

/** A case of testdata/sandbox: what runs, on what, and what must come of it. */
export interface SandboxCase {
  readonly name: string;
  readonly script?: string;
  readonly args?: readonly string[];
  /** A program of testdata/sandbox, for the machine's own perl. */
  readonly perl?: string;
  /** Made by a program of our own, one after the other; each must give the answer it names. */
  readonly calls?: readonly Call[];
  /** The kernel may also end the program at the first of them (libseccomp has it so for a foreign door). */
  readonly mayEnd?: boolean;
  readonly env?: readonly string[];
  readonly cwd?: string;
  /** uid, gid, groups. */
  readonly user?: readonly [number, number, readonly number[]];
  readonly network?: 'none' | 'host';
  readonly hosts?: readonly string[];
  readonly insecure?: boolean;
  readonly ulimits?: readonly string[];
  readonly shmSizeBytes?: number;
  /** A layer on top of the common root. */
  readonly tree?: Readonly<Record<string, TreeFile>>;
  /** The machine's own programs and libraries, read-only. */
  readonly system?: boolean;
  readonly manyLayers?: number;
  readonly mounts?: readonly (Mount | CaseTree | CaseFile)[];
  /** What comes of it where nothing can be mounted, and why that differs; null: nothing is said of it. */
  readonly withoutMounts?: { readonly why: string } & {
    readonly [Expected in keyof SandboxCase]?: SandboxCase[Expected] | null;
  };
  /** The root is a folder instead of an overlay. */
  readonly copied?: boolean;
  /** The script of a second step, that says `ready` and is there until the first has ended. */
  readonly beside?: string;
  readonly code?: number;
  readonly error?: string;
  /** An engine may also refuse the step with `sandbox`. */
  readonly mayRefuse?: boolean;
  readonly stdout?: string;
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

export function readCases(topic: string): readonly SandboxCase[] {
  return JSON.parse(readFileSync(new URL(`${topic}.json`, data), 'utf8')) as SandboxCase[];
}

export interface Surroundings {
  readonly place: SandboxPlace;
  readonly who: Who;
  /** What `$NAME` in a script stands for; other names are left to the shell. */
  readonly words?: Readonly<Record<string, string>>;
}

/** The case as a job of the driver, with its files laid out. */
export function jobOf(one: SandboxCase, around: Surroundings): Job {
  const { place } = around;
  const home = place.work(around.who);
  const owner = around.who === 'root' ? { uid: 0, gid: 0 } : place.ids;
  for (const name of ['ro', 'rw']) layOutTree(join(home, name), {}, owner);
  const plan = {
    ...planOf(one, around),
    mounts: [...(usesSystem(one) && !one.copied ? [system] : []), ...(one.mounts ?? [])].map((mount, at) =>
      mountOf(mount, { home, at, owner }),
    ),
  };
  const lower = layersOf(one, { home, place, owner });
  const job = { plan, lower, copied: one.copied ?? false };
  if (one.beside === undefined) return job;
  const { beside, ...first } = one;
  return { ...job, beside: jobOf({ ...first, script: beside }, around) };
}

function planOf(one: SandboxCase, around: Surroundings): Omit<SandboxPlan, 'root' | 'mounts'> {
  const [uid, gid, groups] = one.user ?? [0, 0, []];
  return {
    process: {
      args: argsOf(one, around.words ?? {}),
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
}

function argsOf({ args, script, perl, calls }: SandboxCase, words: Readonly<Record<string, string>>) {
  if (calls !== undefined) return ['/probe'];
  if (perl !== undefined) return ['perl', '/probe', ...Object.entries(words).map((word) => word.join('='))];
  if (args !== undefined) return args;
  const known = Object.entries(words).sort(([a], [b]) => b.length - a.length);
  return ['/bin/sh', '-c', known.reduce((text, [name, word]) => text.replaceAll(`$${name}`, word), script!)];
}

const system: Mount = { kind: 'bind', source: '/usr', target: '/usr', readonly: true };

function usesSystem({ system: asked, perl }: SandboxCase): boolean {
  return asked === true || perl !== undefined;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function layersOf(
  one: SandboxCase,
  { home, place, owner }: { home: string; place: SandboxPlace; owner: Owner },
): string[] {
  const top = join(home, 'top');
  layOutTree(
    top,
    {
      ...one.tree,
      ...(usesSystem(one) && { lib: { link: 'usr/lib' }, lib64: { link: 'usr/lib64' } }),
      ...(one.perl !== undefined && { probe: { text: readFileSync(new URL(one.perl, data), 'utf8') } }),
      ...(one.calls !== undefined && { probe: { bytes: callProgram(one.calls), mode: '755' } }),
    },
    owner,
  );
  const many = Array.from({ length: one.manyLayers ?? 0 }, (_, at) =>
    join(home, 'n'.repeat(80), `layer-${at}`),
  );
  for (const [at, layer] of many.entries()) layOutMany(layer, at);
  const below = usesSystem(one) && one.copied ? [place.systemLayer(), place.root] : [place.root];
  return [...many, top, ...below].slice(0, one.manyLayers === 501 ? 501 : undefined);
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
  if (mount.kind !== 'bind') return mount;
  const own = mount.source.startsWith('$WORK') && { movable: true as const };
  return { ...mount, source: mount.source.replace('$WORK', home), ...own };
}

/** The case as it is on rung `chroot`: its roots are folders, and what is put there to be shown is taken out again. */
export function asWithoutMounts<Case extends SandboxCase>(one: Case): Case {
  const { why: _, ...others } = one.withoutMounts ?? { why: '' };
  const residue = one.residue === undefined ? {} : { residue: [] };
  const entries = Object.entries({ ...one, ...residue, ...others }).filter(([, value]) => value !== null);
  return { ...(Object.fromEntries(entries) as unknown as Case), copied: true };
}

/** Compares what came of a case with what it says. */
export function checkCase(one: SandboxCase, result: JobResult): void {
  if (one.outside !== undefined) expect(existsSync(one.outside)).toBe(false);
  if (one.mayRefuse === true && result.error === 'sandbox') return;
  expect(result.error, result.message).toBe(one.error);
  if (one.error !== undefined || (one.mayEnd === true && result.code === 128 + constants.signals.SIGSYS))
    return;
  if (one.stdout !== undefined) expect(result.stdout, result.stderr).toBe(one.stdout);
  if (one.calls !== undefined)
    expect(answersOf(one.calls, result.stdout)).toEqual(
      one.calls.map(([name, , , answer]) => `${name}: ${answer}`),
    );
  if (one.stdoutMatches !== undefined) expect(result.stdout).toMatch(new RegExp(one.stdoutMatches));
  if (one.stderrMatches !== undefined) expect(result.stderr).toMatch(new RegExp(one.stderrMatches, 'i'));
  if (one.lines !== undefined) expect(result.stdout.split('\n')).toHaveLength(one.lines + 1);
  if (one.bytes !== undefined) expect(result.stdoutBytes).toBe(one.bytes);
  if (one.residue !== undefined) expect(result.residue).toEqual(one.residue);
  expect(result.code, result.stderr).toBe(one.code ?? 0);
}
