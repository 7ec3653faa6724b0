import { type Kept, kept, unlisted } from '../../cache/kept.ts';
import { usage } from '../../cache/prune.ts';
import { boundFor } from '../build/tidy.ts';
import { fitTable } from '../report/fit-table.ts';
import { formatAge, formatBytes } from '../report/format.ts';
import { clip } from '../report/width.ts';
import { type ShownKept, shownKept } from './shown-kept.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts, type Parts } from './wiring.ts';

export interface DuCommand {
  readonly json: boolean;
  /** Each thing, and not each kind alone. */
  readonly verbose: boolean;
  /** In place of the bound that fits the disk. */
  readonly keepBytes: number | undefined;
  /** Of the screen; undefined where nothing is to be cut. */
  readonly columns: number | undefined;
}

/** What one kind of thing takes up. */
interface KindRow {
  readonly kind: string;
  readonly count: number;
  readonly bytes: number;
  readonly lastUsed: number | undefined;
}

/** Tells what the store takes up, by kind or thing by thing, and the bound it is kept within. */
export async function du(options: DuCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const rows = kindRows(parts);
  const total = rows.reduce((sum, { bytes }) => sum + bytes, 0);
  const things = options.verbose ? shownKept(kept(parts.store), parts.store.builds) : undefined;
  if (options.json) return here.print(`${JSON.stringify(things ?? rows, null, 2)}\n`);
  const table = things === undefined ? kindTable(rows, options.columns) : thingTable(things, options.columns);
  const bound = options.keepBytes ?? boundFor(parts.store.root);
  const why = options.keepBytes === undefined ? 'a tenth of the disk, at most 50GB' : 'TSBUILD_KEEP_STORAGE';
  const end = `${formatBytes(total)} in all; builds keep it within ${formatBytes(bound)} (${why})\n`;
  here.print(`${table}\n${end}`);
}

function kindRows({ store }: Parts): KindRow[] {
  const rest = unlisted(store.home).map(({ kind, bytes, lastUsed }) => ({ kind, count: 1, bytes, lastUsed }));
  return [...usage(store), ...rest];
}

function kindTable(rows: readonly KindRow[], columns: number | undefined): string {
  const lines = rows.map(({ kind, count, bytes, lastUsed }) => [
    kind,
    String(count),
    formatBytes(bytes),
    ageOf(lastUsed),
    kindTexts[kind] ?? '',
  ]);
  const head = ['KIND', 'COUNT', 'SIZE', 'LAST USED', 'WHAT'];
  return fitTable([head, ...lines], { columns, right: [1, 2] });
}

const kindTexts: Readonly<Record<string, string>> = {
  blobs: 'packed layers, downloads, settings',
  trees: 'unpacked layers',
  listings: 'what layers hold',
  records: 'what steps led to',
  downloads: 'what ADD fetched',
  stat: 'digests of the files of contexts',
  builds: 'builds that are remembered',
  failures: 'steps that failed, for `tsbuild debug`',
  mounts: 'cache mounts',
  work: 'commands that run',
  other: 'names, facts, and what explains a step',
};

/** On a screen narrower than this the time of the last use is left out. */
const roomy = 100;

function thingTable(things: readonly ShownKept[], columns: number | undefined): string {
  const isRoomy = columns === undefined || columns >= roomy;
  const width = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(16, Math.floor(columns * 0.4));
  const pick = (...[what, size, own, used, why]: readonly string[]): string[] =>
    [what, size, own, ...(isRoomy ? [used] : []), why].map((cell) => cell ?? '');
  const lines = withoutBuilds(things).map(({ what, bytes, own, lastUsed, why }) =>
    pick(clip(what, width), formatBytes(bytes), formatBytes(own), ageOf(lastUsed), why),
  );
  const head = pick('WHAT', 'SIZE', 'ALONE', 'LAST USED', 'KEPT BECAUSE');
  return fitTable([head, ...lines], { columns, right: [1, 2] });
}

/** Builds are many and small: `tsbuild builds` lists them. */
function withoutBuilds(things: readonly ShownKept[]): readonly ShownKept[] {
  const builds = things.filter(({ kind }) => kind === 'build');
  const [first] = builds;
  if (first === undefined) return things;
  const sum = (value: (build: ShownKept) => number): number =>
    builds.reduce((total, build) => total + value(build), 0);
  const all: ShownKept = {
    ...first,
    bytes: sum(({ bytes }) => bytes),
    own: sum(({ own }) => own),
    lastUsed: Math.max(...builds.map(({ lastUsed = 0 }) => lastUsed)),
    what: `${builds.length} build${builds.length === 1 ? '' : 's'}`,
    why: 'they are remembered: `tsbuild builds` lists them',
  };
  return things.flatMap((thing) => (thing === first ? [all] : thing.kind === 'build' ? [] : [thing]));
}

function ageOf(seconds: Kept['lastUsed']): string {
  return seconds === undefined ? '-' : formatAge(new Date(seconds * 1000).toISOString(), Date.now());
}
