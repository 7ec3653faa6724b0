import { describe, expect, it } from 'vitest';
import { diffText } from '../../../src/commands/diff-text.ts';
import type { ImageDiff } from '../../../src/commands/image-diff.ts';
import { layersText } from '../../../src/commands/layers-text.ts';
import type { ShownLayers } from '../../../src/commands/shown-layers.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { FileChange } from '../../../src/oci/file-diff.ts';
import { widthOf } from '../../../src/report/width.ts';

/** What an image may bring to move the cursor, to set a title, to begin a line of its own. */
const hostile = 'name\x1b]0;title\x07\x1b[2J\n+  /etc/forged\u202e';
const id = digestOf('id');

const layers: ShownLayers = {
  name: hostile,
  id,
  platform: 'linux/amd64',
  bytes: 3_000_000,
  lost: 1_000_000,
  efficiency: 2 / 3,
  layers: [1, 2].map((number) => ({
    number,
    diffId: id,
    createdBy: hostile,
    created: undefined,
    instruction: number === 1 ? '' : `RUN ${hostile} 日本語 ${'very '.repeat(60)}long`,
    bytes: 1_500_000,
    files: 3,
    lost: 500_000,
    tarBytes: undefined,
    packedBytes: number === 1 ? 700_000 : undefined,
  })),
  biggestFiles: [{ path: `usr/${hostile}/${'deep/'.repeat(50)}`, bytes: 5000, files: 1, layer: 1 }],
  biggestDirectories: [{ path: `usr/${hostile}`, bytes: 5000, files: 1, layer: 1 }],
  losses: [{ path: hostile, bytes: 1_000_000, files: 2, layer: 1, by: 2, how: 'repeated' }],
  copies: [{ digest: id, bytes: 10, paths: [hostile, 'b', 'c', 'd', 'e'] }],
};

const file = (path: string, mode = '0644'): FileChange => {
  const state = { type: 'file', mode, uid: 0, gid: 0, size: 1, time: 'x' } as const;
  return { path, how: 'changed', aspects: ['mode'], before: state, after: { ...state, mode: '0600' } };
};

const diff = (files: readonly FileChange[]): ImageDiff => ({
  a: { name: hostile, id, layers: 1 },
  b: { name: 'b', id: digestOf('b'), layers: 2 },
  sharedLayers: 1,
  config: [{ what: 'label', name: hostile, how: 'changed', before: hostile, after: 'x'.repeat(300) }],
  history: { removed: [], added: [{ created_by: hostile }] },
  files,
});
const asked = { times: true, history: true, all: false };

const texts: Readonly<Record<string, (columns?: number) => string>> = {
  layers: (columns) => layersText(layers, columns),
  'a diff': (columns) => diffText(diff([file(hostile)]), { ...asked, columns }),
  'a diff of many files': (columns) =>
    diffText(diff(Array.from({ length: 200 }, (_, i) => file(`${hostile}/${i}`))), { ...asked, columns }),
};

describe.each(Object.entries(texts))('%s', (_, text) => {
  it('lets nothing through that a terminal would obey, nor a line of its own', () => {
    expect(text()).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
    expect(text()).not.toMatch(/^\+ {2}\/etc\/forged/m);
  });

  it.each([40, 60, 80, 120, 200])('fits its tables into %i columns', (columns) => {
    const rows = text(columns)
      .split('\n')
      .filter((line) => /^ *(#|\d|[-+~] )/.test(line));
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.filter((line) => widthOf(line) > columns)).toEqual([]);
  });

  it('is cut nowhere where there is no screen', () => {
    expect(text()).not.toContain('xxx…');
  });
});
