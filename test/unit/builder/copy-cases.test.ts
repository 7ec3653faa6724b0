import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openContext } from '../../../builder/context/local.ts';
import { type CopyInput, type CopySource, selectFiles } from '../../../builder/steps/copy.ts';
import { writeWorkdir } from '../../../builder/steps/workdir.ts';
import { LayeredView } from '../../../builder/view.ts';
import type { EventBody } from '../../../src/core/events.ts';
import type { Layer } from '../../../src/core/types.ts';
import { headerOf, paddingOf, trailer } from '../../../src/oci/tar-write.ts';
import { entryOf, lineOf, makeFiles, readCase } from './entry-lines.ts';
import { FakeLayers, FakeStatCache, fakeScratch } from './fake-layers.ts';

/** Entries are lines as of entry-lines.ts. */
interface Case {
  /** Layers below, the lowest first. */
  readonly base?: readonly (readonly string[])[];
  readonly context?: readonly string[];
  readonly ignore?: string;
  /** Archives in the context: name → entries. `.gz` names are compressed. */
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
const cases = readdirSync(root);

describe('COPY, ADD and WORKDIR', () => {
  it('has a case for every rule', () => expect(cases.length).toBeGreaterThanOrEqual(60));

  it.each(cases)('%s', async (name) => {
    const wanted = readCase<Case>(join(root, name));
    const outcome = await run(wanted).catch((error: Error & { hint?: string }) => error);
    if (wanted.error !== undefined) {
      expect(outcome).toMatchObject({ name: 'BuildError', message: expect.stringContaining(wanted.error) });
      if (wanted.hint !== undefined) expect((outcome as { hint?: string }).hint).toContain(wanted.hint);
      return;
    }
    if (outcome instanceof Error) throw outcome;
    if (wanted.tree !== undefined) expect(outcome.tree).toEqual(wanted.tree);
    if (wanted.layer !== undefined) expect(outcome.layer).toEqual(wanted.layer);
    if (wanted.paths !== undefined) expect(outcome.paths).toEqual(wanted.paths);
    expect(outcome.warnings.join('\n')).toContain(wanted.warning ?? '');
    if (wanted.warning === undefined) expect(outcome.warnings).toEqual([]);
  });
});

async function run(wanted: Case) {
  const layers = new FakeLayers();
  const below = (wanted.base ?? []).map((lines) => layers.add(lines.map(entryOf)));
  const warnings: string[] = [];
  const emit = (event: EventBody) => void (event.type === 'note' && warnings.push(event.text));
  const tools = { store: { layers: layers.asLayers(), scratch: fakeScratch }, emit };
  const writer = await layers.writer();
  if (wanted.run.startsWith('WORKDIR ')) {
    await writeWorkdir({ path: wanted.run.slice(8), user: wanted.user ?? '' }, below, { writer, tools });
  } else {
    const selection = await selectFiles(inputOf(wanted), sourceOf(wanted, layers), tools);
    const key = await selection.contentKey();
    expect(await selection.write(below, writer)).toEqual(key);
  }
  const added = await writer.commit();
  return {
    tree: await treeOf([...below, added], layers),
    paths: (await LayeredView.of([...below, added], layers).walk('')).map(({ path }) => path),
    layer: writer.written.map((entry) => lineOf(entry, entry.content)),
    warnings,
  };
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
  };
}

function sourceOf(wanted: Case, layers: FakeLayers): CopySource {
  if (wanted.from !== undefined) {
    const from = wanted.from.map((lines) => layers.add(lines.map(entryOf)));
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: [] } };
    return { kind: 'snapshot', snapshot: { layers: from, config } };
  }
  const folder = mkdtempSync(join(tmpdir(), 'context-'));
  makeFiles(folder, wanted.context ?? []);
  for (const [name, lines] of Object.entries(wanted.archives ?? {})) {
    const tar = tarOf(lines);
    writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync(tar) : tar);
  }
  const ignore = wanted.ignore === undefined ? {} : { ignoreText: wanted.ignore };
  return { kind: 'context', context: openContext(folder, { ...ignore, statCache: new FakeStatCache() }) };
}

function tarOf(lines: readonly string[]): Buffer {
  const parts = lines.map(entryOf).flatMap((entry) => {
    const content = entry.content ?? Buffer.alloc(0);
    return [headerOf(entry), content, paddingOf(content.length)];
  });
  return Buffer.concat([...parts, trailer]);
}

async function treeOf(below: readonly Layer[], layers: FakeLayers): Promise<string[]> {
  const view = LayeredView.of(below, layers);
  const lines: string[] = [];
  for (const entry of await view.walk('')) {
    const place = entry.type === 'file' ? view.placeOf(entry) : undefined;
    lines.push(lineOf(entry, place && (await layers.readFile(place.layer, place.path))));
  }
  return lines;
}
