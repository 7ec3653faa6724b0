import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keepWithin } from '../../../cache/keep-within.ts';
import { kept } from '../../../cache/kept.ts';
import { usage } from '../../../cache/prune.ts';
import { keyOf } from '../../../src/core/digest.ts';
import type { Layer } from '../../../src/core/types.ts';
import { type Bench, bench, tarOf } from './open.ts';

const key = keyOf('a step');
const platform = { os: 'linux', architecture: 'amd64' };

/** As if all of the store had last been used long ago. */
function age(store: string): void {
  for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' })) {
    if (!name.includes('/v1-root/') || name.endsWith('.json')) utimesSync(join(store, name), 1000, 1000);
  }
}

describe('what is kept', () => {
  const sizeOf = (b: Bench): number => usage(b.store).reduce((sum, one) => sum + one.bytes, 0);

  /** The store's count may be wrong by as much as others wrote: it is looked at anew. */
  function keep(b: Bench, bound: number) {
    b.store.home.written = 1e9;
    return keepWithin(b.store, bound);
  }

  /** An image that a build took for FROM, one with a name, and a cache mount, all of them old. */
  async function withBase() {
    const b = await bench();
    const [base, own] = ['base', 'own'].map((path) =>
      b.offer(tarOf([{ path, type: 'file', content: path.repeat(1000) }])),
    ) as [Layer, Layer];
    for (const layer of [base, own]) await b.store.layers.atHand(layer);
    const { images, mounts } = b.store;
    await images.putBeside({ config: Buffer.from('{"b":1}'), layers: [base], platform }, ['base:1'], {
      base: true,
    });
    await images.put({ config: Buffer.from('{"o":1}'), layers: [own], platform }, ['own:1']);
    const how = { sharing: 'shared', mode: 0o755, uid: 0, gid: 0 } as const;
    await using held = await mounts.hold('cache', how);
    writeFileSync(join(held.path, 'file'), 'x'.repeat(3000));
    await b.store[Symbol.asyncDispose]();
    age(join(b.root, 'store'));
    return { b, base, own };
  }

  it('lets bases go after all that can be made again, cache mounts last, and never what has a name', async () => {
    const { b, own } = await withBase();
    await using _ = b;
    const names = async (): Promise<(string | undefined)[]> =>
      (await b.store.images.list()).map((image) => image.names[0]).sort();
    expect(keep(b, sizeOf(b))).toMatchObject({ count: 0, beyond: 0 });
    const left = sizeOf(b);
    expect(keep(b, left - 1).count).toBeGreaterThan(0);
    expect(await names()).toEqual(['own:1']);
    expect(b.store.mounts.has('cache')).toBe(true);
    const rest = keep(b, 100);
    expect(b.store.mounts.has('cache')).toBe(false);
    expect(rest.beyond).toBeGreaterThan(0);
    expect(await names()).toEqual(['own:1']);
    expect(b.store.blobs.has(own.descriptor!.digest)).toBe(true);
    // As long as nothing new came it is not looked at again.
    expect(keepWithin(b.store, 100)).toEqual({ count: 0, bytes: 0, beyond: 0 });
  });

  it('lets no base go that a running build has asked for, nor one that somebody pulled', async () => {
    const { b, base } = await withBase();
    await using _ = b;
    const other = await b.reopen();
    await other.scratch();
    expect(await other.images.find('base:1')).toBeDefined();
    await other.layers.atHand(base);
    await other.layers.tree(base);
    keep(b, 100);
    expect(await b.store.images.find('base:1')).toBeDefined();
    await other.images.putBeside({ config: Buffer.from('{"b":1}'), layers: [base], platform }, ['base:1']);
    await other[Symbol.asyncDispose]();
    await b.store[Symbol.asyncDispose]();
    age(join(b.root, 'store'));
    keep(b, 100);
    expect(await b.store.images.find('base:1')).toBeDefined();
  });

  it('piles up no images without a name', async () => {
    const b = await bench();
    await using _ = b;
    for (let i = 0; i < 15; i++) {
      await b.store.images.put({ config: Buffer.from(`{"n":${i}}`), layers: [], platform }, ['n:1']);
      await b.store[Symbol.asyncDispose]();
      age(join(b.root, 'store'));
      keepWithin(b.store, 1e9);
    }
    const found = await b.store.images.list();
    expect(found.filter(({ names }) => names.length > 0)).toHaveLength(1);
    expect(found.length).toBeLessThanOrEqual(12);
  });

  it('tells of each thing what it takes up, and counts once what several have', async () => {
    const { b, base, own } = await withBase();
    await using _ = b;
    await b.store.images.put({ config: Buffer.from('{"t":1}'), layers: [base, own], platform }, ['two:1']);
    await b.store.records.put(key, { layer: own, created: 'x' }, {});
    const things = kept(b.store);
    const of = (name: string) => things.find((thing) => thing.name === name)!;
    expect(things.map(({ kind, name }) => [kind, name]).sort()).toEqual([
      ['base', 'base:1'],
      ['image', 'own:1'],
      ['image', 'two:1'],
      ['mount', 'cache'],
      ['other', ''],
      ['records', ''],
    ]);
    expect(of('two:1').bytes).toBeGreaterThan(of('own:1').bytes);
    expect(of('two:1').own).toBe(7);
    expect(of('base:1').own).toBe(7);
    expect(of('cache')).toMatchObject({ bytes: 3005, own: 3005, lastUsed: 1000, inUse: false });
    expect(of('two:1').inUse).toBe(true);
  });
});
