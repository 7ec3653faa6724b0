import { expect, it } from 'vitest';
import { reportLayers } from '../../../src/commands/report-layers.ts';
import { type Digest, digestOf } from '../../../src/core/digest.ts';
import type { Store } from '../../../src/core/store.ts';
import type { Entry, Listing } from '../../../src/core/types.ts';
import type { StepReport } from '../../../src/report/html/report-data.ts';
import { reportOf, stage, step } from '../../support/report-data.ts';

const entry = (path: string, type: Entry['type'], size = 0): Entry => ({
  ...{ path, type, mode: 0o644, uid: 0, gid: 0, size, mtime: 0 },
  ...(type === 'file' && { digest: digestOf(`${path}${size}`) }),
});
const layers: Record<string, Listing> = {
  base: [entry('etc', 'dir'), entry('etc/motd', 'file', 100), entry('etc/other', 'file', 50)],
  deps: [entry('etc', 'dir'), entry('etc/motd', 'file', 10), entry('lib', 'dir'), entry('lib/a', 'file', 7)],
  tool: [entry('etc', 'dir'), entry('etc/motd', 'file', 20)],
  app: [entry('lib', 'dir'), entry('lib/a', 'whiteout')],
};
const digest = (name: string): Digest => digestOf(name);
const named = Object.fromEntries(Object.keys(layers).map((name) => [digest(name), name]));

/** A store that has listings of these layers, no image, and nothing else at hand. */
function storeOf(names: readonly string[]): Store {
  const knownListing = (diffId: Digest): Listing | undefined =>
    names.includes(named[diffId]!) ? layers[named[diffId]!] : undefined;
  return {
    layers: { knownListing, isAtHand: () => false },
    images: { find: async () => undefined },
  } as never;
}

const made = (id: string, name: string, at: number): StepReport => ({
  ...step(id, at, at + 1),
  diffId: digest(name),
});

/** Two stages on one base; the second one ends in the image. */
const story = reportOf({
  stages: [stage('0'), stage('1', ['0'], 'stage0'), stage('2', ['0', '1'], 'stage0')],
  steps: [
    { ...step('0/1', 0, 1), base: [digest('base')] },
    ...[made('0/2', 'deps', 1), made('1/2', 'tool', 2), made('2/2', 'app', 3)],
  ],
});

it('the layers of an image are those of its stage and of what that stands on', async () => {
  const { images, trees } = await reportLayers(
    story,
    storeOf(Object.keys(layers)),
    new AbortController().signal,
  );
  expect(images).toHaveLength(1);
  expect(images[0]!.layers.map(({ diffId, step }) => [named[diffId], step])).toEqual([
    ...[
      ['base', '0/1'],
      ['deps', '0/2'],
      ['app', '2/2'],
    ],
  ]);
  expect(images[0]).toMatchObject({ bytes: 167, lost: 107, title: 'Image' });
  expect(images[0]!.losses).toMatchObject([
    { path: 'etc/motd', bytes: 100, how: 'replaced', layer: 0, by: 1 },
    { path: 'lib/a', bytes: 7, how: 'removed', layer: 1, by: 2 },
  ]);
  // A FROM makes no layer of its own, and may bring several.
  expect([...trees.keys()].sort()).toEqual(['0/2', '1/2', '2/2']);
  expect(trees.get('0/2')).toMatchObject({ bytes: 17, lost: 7 });
});

it('a stage beside it is compared with what it stands on, too', async () => {
  const { trees } = await reportLayers(story, storeOf(Object.keys(layers)), new AbortController().signal);
  expect(trees.get('1/2')!.children).toMatchObject([
    { name: 'etc', change: 'kept', children: [{ name: 'motd', change: 'changed', bytes: 20 }] },
  ]);
});

it('of layers that are not at hand nothing is known', async () => {
  const { images, trees } = await reportLayers(story, storeOf(['app']), new AbortController().signal);
  expect(images[0]!.layers.map(({ tree }) => tree === undefined)).toEqual([true, true, false]);
  expect([...trees.keys()]).toEqual(['2/2']);
});
