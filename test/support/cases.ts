import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostArchitecture, readLayout } from './oci-layout.ts';
import { must } from './programs.ts';
import type { Tree, TreeEntry } from './trees.ts';

/** One folder of testdata/build: a Containerfile, its context and what must come of it. */
export interface BuildCase {
  readonly name: string;
  readonly about: string;
  /** Also built by the ordinary user: where owners, modes, mounts or the sandbox are in it. */
  readonly asUser?: boolean;
  readonly flags?: readonly string[];
  /** Why a person who runs the tests and is not root cannot make the case, or look at what comes of it. */
  readonly needsRoot?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands after the flags; without it `-f Containerfile context`. */
  readonly arguments?: readonly string[];
  /** Why Debian's buildah is not asked. */
  readonly buildah?: string;
  /** Why docker is not asked for the configuration of a golden. */
  readonly docker?: string;
  /** The first docker whose frontend writes the golden; older daemons are not asked. */
  readonly dockerSince?: string;
  readonly expect: Expectation;
  readonly second?: SecondBuild;
  readonly golden?: Golden;
}

/**
 * The same build once more, by its user, after change.sh (where the case has one) has run in the case's folder. Cases
 * share a store: what is to be made again must be unlike the steps of every other case.
 */
export interface SecondBuild {
  /** In the place of the first build's. */
  readonly flags?: readonly string[];
  /** In the place of the first build's. */
  readonly env?: Readonly<Record<string, string>>;
  /** 0 unless said. */
  readonly exit?: number;
  readonly messages?: readonly string[];
  readonly absent?: readonly string[];
  readonly files?: Expectation['files'];
  /** Regular expressions over step names: each step that is made fits one, and each of them is that of a made step. */
  readonly made: readonly string[];
  /** As `made`, but of steps that the cache has; others may be there too. */
  readonly cached?: readonly string[];
}

/**
 * `golden.json`: the image's whole configuration but `rootfs`. Without `architecture` and `os` the machine's own are
 * meant; times are compared where the golden has a `created` of its own.
 */
export interface Golden {
  readonly created?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly history: readonly Readonly<Record<string, unknown>>[];
  readonly [member: string]: unknown;
}

export interface Expectation {
  readonly exit: number | readonly number[];
  /** Regular expressions (over lines) that the output must match, and must not. */
  readonly messages?: readonly string[];
  readonly absent?: readonly string[];
  /** Members of the image's configuration; null stands for an absent one. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** One regular expression per history entry of our own, in order. */
  readonly history?: readonly string[];
  /** Path → what stands there; null stands for nothing. */
  readonly files?: Readonly<Record<string, ExpectedFile | null>>;
}

export interface ExpectedFile extends Partial<Omit<TreeEntry, 'content'>> {
  /** A file's whole content. */
  readonly text?: string;
  /** A symlink's target. */
  readonly link?: string;
}

const root = 'testdata/build';

/** Every case, by name. */
export function buildCases(): BuildCase[] {
  const names = readdirSync(root).filter((name) => existsSync(join(root, name, 'case.json')));
  return names.sort().map((name) => {
    const text = readFileSync(join(root, name, 'case.json'), 'utf8');
    return { name, ...(JSON.parse(text) as Omit<BuildCase, 'name'>), ...goldenOf(name) };
  });
}

function goldenOf(name: string): { golden?: Golden } {
  const file = join(root, name, 'golden.json');
  return existsSync(file) ? { golden: JSON.parse(readFileSync(file, 'utf8')) as Golden } : {};
}

/** Whether the case is meant to give an image. */
export function succeeds(one: BuildCase): boolean {
  return one.expect.exit === 0;
}

/** Whose files a case becomes: `give` hands a folder over, `as` gives the command line by which they run a program. */
export interface Owner {
  give(path: string): Promise<void>;
  as(command: readonly string[]): string[];
}

/**
 * Lays a copy of the case out in `folder` (which must not exist) with the modes that git does not keep; what
 * prepare.sh makes is made by the owner, for a later change of owner would lose setuid bits.
 */
export async function layOut(one: BuildCase, folder: string, owner?: Owner): Promise<void> {
  cpSync(join(root, one.name), folder, { recursive: true });
  await must(['chmod', '-R', 'u=rwX,go=rX', folder]);
  await must(['rm', '-f', join(folder, 'context/.keep')]);
  await owner?.give(folder);
  const prepare = ['sh', 'prepare.sh'];
  if (existsSync(join(folder, 'prepare.sh'))) await must(owner?.as(prepare) ?? prepare, { cwd: folder });
}

/** What the case's Containerfile is told besides names and outputs. */
export function buildArguments(one: BuildCase): string[] {
  return [...(one.flags ?? []), ...(one.arguments ?? ['-f', 'Containerfile', 'context'])];
}

/** The case as its second build sees it. */
export function asSecond(
  one: BuildCase,
  { flags, env, exit, messages, absent, files }: SecondBuild,
): BuildCase {
  const told = { ...(messages && { messages }), ...(absent && { absent }), ...(files && { files }) };
  const { golden: _first, ...same } = one;
  return { ...same, ...(flags && { flags }), ...(env && { env }), expect: { exit: exit ?? 0, ...told } };
}

/** Runs change.sh, where the case has one, by the case's owner. */
export async function change(folder: string, owner: Owner): Promise<void> {
  if (existsSync(join(folder, 'change.sh'))) await must(owner.as(['sh', 'change.sh']), { cwd: folder });
}

/** Steps that the cache had and should not have had, or the other way round, by the output of plain progress. */
export function wrongSteps({ made, cached = [] }: SecondBuild, output: string): string[] {
  const ended = endedSteps(output);
  const names = (outcome: string) => ended.filter((step) => step.outcome === outcome).map(({ name }) => name);
  const [done, had] = [names('DONE'), names('CACHED')];
  const fits = (name: string) => made.some((pattern) => new RegExp(pattern).test(name));
  const lacks = (list: readonly string[]) => (pattern: string) =>
    !list.some((name) => new RegExp(pattern).test(name));
  return [
    ...done.filter((name) => !fits(name)).map((name) => `made again: ${name}`),
    ...made.filter(lacks(done)).map((pattern) => `not made again: ${pattern}`),
    ...cached.filter(lacks(had)).map((pattern) => `not cached: ${pattern}`),
  ];
}

/** `#3 [2/4] RUN true` … `#3 DONE 0.1s`; not what was packed or moved, which has no place in a stage. */
function endedSteps(output: string): { readonly name: string; readonly outcome: string }[] {
  const names = new Map<string, string>();
  const ended: { name: string; outcome: string }[] = [];
  for (const [, number = '', text = ''] of output.matchAll(/^#(\d+) (.*)$/gm)) {
    const outcome = /^(CACHED|DONE)\b/.exec(text)?.[1];
    if (!names.has(number)) names.set(number, text);
    else if (outcome !== undefined && names.get(number)!.startsWith('['))
      ended.push({ name: names.get(number)!, outcome });
  }
  return ended;
}

/** Differences between what the case expects to stand in the image and what does; empty when all is well. */
export function wrongFiles(one: BuildCase, tree: Tree, rootfs: string, owners: boolean): string[] {
  return Object.entries(one.expect.files ?? {}).flatMap(([path, expected]) => {
    const entry = tree.get(path);
    if (expected === null) return entry === undefined ? [] : [`/${path} should not be there`];
    if (entry === undefined) return [`/${path} is missing`];
    const { text, link, ...plain } = expected;
    const wanted = Object.entries({ ...plain, ...(link === undefined ? {} : { content: link }) });
    const wrong = wanted
      .filter(([key]) => owners || (key !== 'uid' && key !== 'gid'))
      .filter(([key, value]) => JSON.stringify(entry[key as keyof TreeEntry]) !== JSON.stringify(value))
      .map(
        ([key, value]) =>
          `/${path}: ${key} is ${JSON.stringify(entry[key as keyof TreeEntry])}, not ${JSON.stringify(value)}`,
      );
    if (text === undefined) return wrong;
    const found = readFileSync(join(rootfs, path), 'latin1');
    const same = found === Buffer.from(text).toString('latin1');
    return same ? wrong : [...wrong, `/${path} holds ${JSON.stringify(found)}, not ${JSON.stringify(text)}`];
  });
}

/** Differences of configuration and history. */
export function wrongConfig(one: BuildCase, layout: string, inherited: number): string[] {
  const { config } = readLayout(layout);
  const members = Object.entries(one.expect.config ?? {})
    .map(([key, value]) => [key, config.config[key] ?? null, value] as const)
    .filter(([, found, value]) => canonical(found) !== canonical(value))
    .map(([key, found, value]) => `${key} is ${canonical(found)}, not ${canonical(value)}`);
  if (one.expect.history === undefined) return members;
  const lines = config.history.slice(inherited).map((entry) => entry.created_by ?? '');
  const fits = one.expect.history.every((pattern, index) => new RegExp(pattern).test(lines[index] ?? ''));
  if (fits && lines.length === one.expect.history.length) return members;
  return [...members, `history is ${JSON.stringify(lines)}`];
}

/** Differences of the whole configuration; empty for a case without a golden. Go writes an empty history as null. */
export function wrongGolden({ golden }: BuildCase, config: object): string[] {
  if (golden === undefined) return [];
  const { rootfs: _, ...whole } = config as Golden;
  const rest: Golden = { ...whole, history: whole.history ?? [] };
  const found = golden.created === undefined ? withoutTimes(rest) : rest;
  const wanted: Golden = { architecture: hostArchitecture, os: 'linux', ...golden };
  const members = new Set([...Object.keys(found), ...Object.keys(wanted)]);
  return [...members]
    .filter((name) => canonical(found[name]) !== canonical(wanted[name]))
    .map((name) => `${name} is ${canonical(found[name])}, not ${canonical(wanted[name])}`);
}

function withoutTimes({ created: _, ...config }: Golden): Golden {
  return { ...config, history: config.history.map(({ created: _time, ...entry }) => entry) };
}

/** What a build said that it should not have, or did not say. */
export function wrongOutput(one: BuildCase, output: string): string[] {
  const missing = (one.expect.messages ?? []).filter((pattern) => !new RegExp(pattern, 'm').test(output));
  const extra = (one.expect.absent ?? []).filter((pattern) => new RegExp(pattern, 'm').test(output));
  return [
    ...missing.map((pattern) => `does not say ${pattern}`),
    ...extra.map((pattern) => `says ${pattern}`),
  ];
}

/** JSON with sorted members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    member !== null && typeof member === 'object' && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort())
      : member,
  );
}
