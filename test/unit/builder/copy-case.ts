import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { openContext } from '../../../builder/context/local.ts';
import { type CopyInput, type CopySource, selectFiles } from '../../../builder/steps/copy.ts';
import { writeWorkdir } from '../../../builder/steps/workdir.ts';
import { LayeredView } from '../../../builder/view.ts';
import type { EventBody } from '../../../src/core/events.ts';
import type { Layers, LayerWriter, Scratch } from '../../../src/core/store.ts';
import type { Entry, Layer } from '../../../src/core/types.ts';
import { headerOf, paddingOf, trailer } from '../../../src/oci/tar-write.ts';
import { type EntryWithContent, entryOf, lineOf, makeFiles } from './entry-lines.ts';
import { FakeStatCache } from './fake-layers.ts';

/** Entries are lines as of entry-lines.ts. */
export interface Case {
  /** Layers below, the lowest first. */
  readonly base?: readonly (readonly string[])[];
  readonly context?: readonly string[];
  readonly ignore?: string;
  /** Archives in the context: name → entries. Those that end in gz, xz, bz2 or zst are compressed. */
  readonly archives?: Readonly<Record<string, readonly string[]>>;
  /** Layers of the stage that --from names. */
  readonly from?: readonly (readonly string[])[];
  /** `COPY --chown=1 a b/`, or `WORKDIR /x`. */
  readonly run: string;
  readonly heredocs?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly user?: string;
  /** The whole root filesystem afterwards. */
  readonly tree?: readonly string[];
  /** Its paths alone. */
  readonly paths?: readonly string[];
  /** The layer, entry by entry. */
  readonly layer?: readonly string[];
  readonly error?: string;
  readonly hint?: string;
  readonly warning?: string;
}

const root = fileURLToPath(new URL('../../../testdata/copy/', import.meta.url));

export const caseNames = readdirSync(root);

export function readCase(name: string): Case {
  return JSON.parse(readFileSync(join(root, name, 'case.json'), 'utf8')) as Case;
}

/** A store to run cases on. */
export interface CaseStore {
  readonly layers: Layers;
  scratch(): Promise<Scratch>;
}

/** Checks that a case has the outcome that it tells. */
export async function checkCase(wanted: Case, store: CaseStore): Promise<void> {
  const outcome = await runCase(wanted, store).catch((error: Error & { hint?: string }) => error);
  if (wanted.error !== undefined) {
    expect(outcome).toMatchObject({ name: 'BuildError', message: expect.stringContaining(wanted.error) });
    if (wanted.hint !== undefined) expect((outcome as { hint?: string }).hint).toContain(wanted.hint);
    return;
  }
  if (outcome instanceof Error) throw outcome;
  if (wanted.tree !== undefined) expect(outcome.tree).toEqual(wanted.tree);
  if (wanted.paths !== undefined) expect(outcome.paths).toEqual(wanted.paths);
  if (wanted.layer !== undefined) expect(outcome.layer).toEqual(wanted.layer);
  expect(outcome.warnings.join('\n')).toContain(wanted.warning ?? '');
  if (wanted.warning === undefined) expect(outcome.warnings).toEqual([]);
}

async function runCase(wanted: Case, store: CaseStore) {
  const { layers } = store;
  const below: Layer[] = [];
  for (const lines of wanted.base ?? []) below.push(await layerOf(lines, layers));
  const warnings: string[] = [];
  const emit = (event: EventBody) => void (event.type === 'note' && warnings.push(event.text));
  const tools = { store, emit };
  const writer = new Recording(await layers.writer());
  if (wanted.run.startsWith('WORKDIR ')) {
    await writeWorkdir({ path: wanted.run.slice(8), user: wanted.user ?? '' }, below, { writer, tools });
  } else {
    const selection = await selectFiles(inputOf(wanted), await sourceOf(wanted, layers), tools);
    const key = await selection.contentKey();
    expect(await selection.write(below, writer)).toEqual(key);
  }
  const all = [...below, await writer.commit()];
  const paths = (await LayeredView.of(all, layers).walk('')).map(({ path }) => path);
  return { tree: await treeOf(all, layers), paths, layer: writer.lines, warnings };
}

/** A layer of the entries as they are, in path order with what lies above them. */
async function layerOf(lines: readonly string[], layers: Layers): Promise<Layer> {
  const writer = await layers.writer();
  const order = ({ path, type }: EntryWithContent) => `${path}${type === 'opaque' ? '/' : ''}`;
  const entries = lines.map(entryOf).sort((a, b) => (order(a) < order(b) ? -1 : 1));
  for (const { content, ...entry } of entries) await writer.add(entry, content);
  return await writer.commit();
}

/** Hands everything on and notes it, and checks what a real writer relies on. */
class Recording implements LayerWriter {
  readonly lines: string[] = [];
  readonly #directories = new Set(['']);
  readonly #writer: LayerWriter;
  #last: string | undefined;

  constructor(writer: LayerWriter) {
    this.#writer = writer;
  }

  async add(entry: Entry, content?: Buffer | string): Promise<Entry> {
    const parent = entry.path.includes('/') ? entry.path.replace(/\/[^/]*$/, '') : '';
    if (this.#last !== undefined && this.#last >= entry.path)
      throw new Error(`${entry.path} after ${this.#last}`);
    if (!this.#directories.has(parent)) throw new Error(`${entry.path} without its directory`);
    if (entry.type === 'dir') this.#directories.add(entry.path);
    this.#last = entry.path;
    const bytes = typeof content === 'string' ? readFileSync(content) : content;
    this.lines.push(lineOf(entry, bytes));
    return await this.#writer.add(entry, content);
  }

  commit(): Promise<Layer> {
    return this.#writer.commit();
  }

  abandon(): Promise<void> {
    return this.#writer.abandon();
  }
}

function inputOf(wanted: Case): CopyInput {
  const words = wanted.run.split(' ');
  const flags = words.filter((word) => word.startsWith('--'));
  const names = words.slice(1).filter((word) => !word.startsWith('--'));
  const flag = (name: string) => flags.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  const [chown, chmod] = [flag('chown'), flag('chmod')];
  return {
    kind: words[0] === 'ADD' ? 'add' : 'copy',
    sources: names.slice(0, -1).filter((word) => !word.startsWith('<<')),
    heredocs: Object.entries(wanted.heredocs ?? {}).map(([name, content]) => ({ name, content })),
    destination: names.at(-1)!.replace(/^''$/, ''),
    workdir: wanted.workdir ?? '/',
    ...(chown !== undefined && { chown }),
    ...(chmod !== undefined && { chmod }),
    link: flags.includes('--link'),
    parents: flags.includes('--parents'),
    optional: flags.includes('--optional'),
    excludes: flags.filter((word) => word.startsWith('--exclude=')).map((word) => word.slice(10)),
    ...(flags.includes('--unpack') && { unpack: true }),
    ...(flags.includes('--unpack=false') && { unpack: false }),
  };
}

async function sourceOf(wanted: Case, layers: Layers): Promise<CopySource> {
  if (wanted.from !== undefined) {
    const from: Layer[] = [];
    for (const lines of wanted.from) from.push(await layerOf(lines, layers));
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: [] } };
    return { kind: 'snapshot', snapshot: { layers: from, config } };
  }
  const folder = mkdtempSync(join(tmpdir(), 'context-'));
  makeFiles(folder, wanted.context ?? []);
  for (const [name, lines] of Object.entries(wanted.archives ?? {})) {
    writeFileSync(join(folder, name), packed(tarOf(lines), name));
  }
  const ignore = wanted.ignore === undefined ? {} : { ignoreText: wanted.ignore };
  return { kind: 'context', context: openContext(folder, { ...ignore, statCache: new FakeStatCache() }) };
}

const programs: Readonly<Record<string, string>> = { gz: 'gzip', xz: 'xz', bz2: 'bzip2', zst: 'zstd' };

function packed(tar: Buffer, name: string): Buffer {
  const program = programs[name.replace(/^.*\./, '')];
  return program === undefined ? tar : execFileSync(program, ['-c'], { input: tar });
}

function tarOf(lines: readonly string[]): Buffer {
  const parts = lines.map(entryOf).flatMap((entry) => {
    const content = entry.content ?? Buffer.alloc(0);
    return [headerOf(entry), content, paddingOf(content.length)];
  });
  return Buffer.concat([...parts, trailer]);
}

async function treeOf(below: readonly Layer[], layers: Layers): Promise<string[]> {
  const view = LayeredView.of(below, layers);
  const lines: string[] = [];
  for (const entry of await view.walk('')) {
    const place = entry.type === 'file' ? view.placeOf(entry) : undefined;
    lines.push(lineOf(entry, place && (await layers.readFile(place.layer, place.path))));
  }
  return lines;
}
