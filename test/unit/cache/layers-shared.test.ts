import { existsSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Layer } from '../../../src/core/types.ts';
import { compressionOf } from '../../../src/oci/media-types.ts';
import { gather } from '../../../src/oci/packed.ts';
import { skip } from '../../support/skips.ts';
import { bench, tarOf } from './open.ts';

const tar = tarOf([
  { path: '', type: 'dir' },
  { path: 'file', type: 'file', content: 'x'.repeat(100_000) },
]);
/** Its files are root's, and only root can give them to root. */
const unowned = skip('unpacked layers that are shared', { root: true });
const own = (layer: Layer): Layer => ({ ...layer, own: true });

describe('a layer that somebody shares', () => {
  it('goes on to somewhere else without staying here', async () => {
    await using b = await bench();
    const layer = own(b.offer(tar));
    const { layers, blobs } = b.store;
    const { descriptor, content } = await layers.outgoing(layer, 'any');
    expect(b.fetched()).toBe(0);
    const bytes = await gather((content as () => AsyncIterable<Buffer>)(), 1_000_000);
    expect([descriptor, bytes.length]).toEqual([layer.descriptor, layer.descriptor!.size]);
    expect(blobs.has(descriptor.digest) || layers.isAtHand(layer)).toBe(false);
  });

  it('is not handed on where its bytes are not what they should be', async () => {
    await using b = await bench();
    const layer = own(b.offer(tar));
    const descriptor = { ...layer.descriptor!, size: layer.descriptor!.size - 1 };
    const { content } = await b.store.layers.outgoing({ ...layer, descriptor }, 'any');
    const reading = gather((content as () => AsyncIterable<Buffer>)(), 1_000_000);
    await expect(reading).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  it.skipIf(unowned)('is sent from here once it is here, packed again where the blob is gone', async () => {
    await using b = await bench();
    const layer = own(b.offer(tar));
    const { layers, home } = { layers: b.store.layers, home: b.store.home };
    await layers.tree(layer);
    expect(typeof (await layers.outgoing(layer, 'any')).content).toBe('string');
    rmSync(home.path('blobs', layer.descriptor!.digest.slice(7)));
    const { descriptor, content } = await layers.outgoing(layer, 'any');
    expect([b.fetched(), existsSync(content as string)]).toEqual([1, true]);
    expect(compressionOf(descriptor.mediaType)).toBe('gzip');
  });

  it('is noted as lost where nobody has it any more, unless it is an image’s', async () => {
    await using b = await bench();
    const descriptor = { ...b.offer(tar).descriptor!, digest: `sha256:${'0'.repeat(64)}` as const };
    const gone = { ...b.offer(tar), descriptor };
    await expect(b.store.layers.tree(gone)).rejects.toMatchObject({ code: 'not-found' });
    expect(b.store.layers.lost.size).toBe(0);
    await expect(b.store.layers.tree(own(gone))).rejects.toMatchObject({ code: 'not-found' });
    expect([...b.store.layers.lost]).toEqual([gone.diffId]);
    expect(b.warnings).toHaveLength(1);
  });

  it.skipIf(unowned)('is had by whoever still wants it after another gave up', async () => {
    await using b = await bench();
    const layer = b.offer(tar);
    const stop = new AbortController();
    const first = b.store.layers.tree(layer, stop.signal);
    const second = b.store.layers.tree(layer);
    stop.abort(new Error('given up'));
    await expect(first).rejects.toThrow();
    expect(existsSync(await second)).toBe(true);
  });
});
