import { describe, expect, it } from 'vitest';
import { documentOf, readDocument, type SharedStep } from '../../../cache/remote/document.ts';
import { joinShared } from '../../../cache/remote/shared.ts';
import { type Digest, digestOf } from '../../../src/core/digest.ts';
import type { Descriptor, Layer } from '../../../src/core/types.ts';

const created = '2026-01-02T03:04:05.678Z';
const origin = { host: 'registry', repository: 'cache' };
const own = (name: string): Layer => ({ diffId: digestOf(name), own: true });
const blob = (name: string, mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip'): Descriptor => ({
  mediaType,
  digest: digestOf(`${name}.gz`),
  size: 9,
});
const step = (key: string, name: string, more: Partial<SharedStep['result']> = {}): SharedStep => ({
  key: digestOf(key),
  result: { layer: own(name), created, ...more },
});
const there = (name: string): Layer => ({ ...own(name), descriptor: blob(name), origins: [origin] });

describe('the document of a cache', () => {
  const steps = [
    step('k2', 'b', { contentKey: digestOf('c2') }),
    step('k1', 'a', { clamped: { epoch: 7, layer: own('a7') } }),
    step('k3', 'gone'),
  ];
  const mounts = new Map([['npm', own('m')]]);
  const diffIds = ['a', 'a7', 'b', 'm'].map((name) => digestOf(name));
  const descriptors = ['a', 'a7', 'b', 'm'].map((name) => blob(name));

  it('is read as it was written', () => {
    const written = JSON.parse(JSON.stringify(documentOf({ steps, mounts }, diffIds))) as unknown;
    const { malformed, ...content } = readDocument(written, { descriptors, origin });
    expect(malformed).toBe(0);
    expect(content.mounts).toEqual(new Map([['npm', there('m')]]));
    const found = Object.fromEntries(content.steps.map(({ key, result }) => [key, result]));
    expect(found).toEqual({
      [digestOf('k1')]: { layer: there('a'), created, clamped: { epoch: 7, layer: there('a7') } },
      [digestOf('k2')]: { layer: there('b'), created, contentKey: digestOf('c2') },
      [digestOf('k3')]: { layer: own('gone'), created },
    });
  });

  it('is the same bytes in whatever order steps were taken, however often', () => {
    const bytes = (some: readonly SharedStep[]) =>
      JSON.stringify(documentOf({ steps: some, mounts }, diffIds));
    expect(bytes([...steps.toReversed(), ...steps])).toBe(bytes(steps));
    expect(bytes(steps.slice(1))).not.toBe(bytes(steps));
  });

  it('names no layers where the image does', () => {
    const document = documentOf({ steps, mounts: new Map() }, diffIds, { inline: true });
    expect(document.layers).toBeUndefined();
    const content = readDocument(document, { descriptors, origin, diffIds });
    expect(content.steps.find(({ key }) => key === digestOf('k1'))?.result.layer).toEqual(there('a'));
  });
});

describe('a malformed document', () => {
  const layers = [digestOf('a')];
  const descriptors = [blob('a')];
  const good = { key: digestOf('k'), layer: 0, created };
  const read = (document: unknown, listed = descriptors) =>
    readDocument(document, { descriptors: listed, origin });

  it.each<[string, unknown]>([
    ['a list', []],
    ['null', null],
    ['a text', 'x'],
    ['more layers than its manifest', { layers: [...layers, digestOf('b')] }],
    ['layers that are no digests', { layers: ['sha256:x'] }],
    ['layers that are no list', { layers: { length: 1 } }],
    ['others that are no digests', { layers, others: [7] }],
    ['steps that are no list', { layers, steps: 'all' }],
  ])('is no cache: %s', (_, document) => {
    expect(() => read(document)).toThrow(expect.objectContaining({ code: 'image' }));
  });

  it.each<[string, object]>([
    ['a step that is none', { steps: [null, 7, []] }],
    ['a key that is no digest', { steps: [{ ...good, key: 'k' }] }],
    ['a key that is an object', { steps: [{ ...good, key: { length: 71 } }] }],
    ['a content key that is none', { steps: [{ ...good, content: 'c' }] }],
    ['a layer that is not there', { steps: [{ ...good, layer: 1 }] }],
    ['a layer before the first', { steps: [{ ...good, layer: -1 }] }],
    ['a layer that is a word', { steps: [{ ...good, layer: 'length' }] }],
    ['a time that is none', { steps: [{ ...good, created: 'yesterday' }] }],
    ['a time that breaks out', { steps: [{ ...good, created: `${created}\n` }] }],
    ['a clamp that is none', { clamped: [{}, [0, 7], [0, 'x', 0], [0, 7, 5]] }],
    [
      'a mount that is none',
      {
        mounts: [
          { id: 7, layer: 0 },
          { id: 'x', layer: 3 },
        ],
      },
    ],
    ['a mount whose bytes are nowhere', { others: [digestOf('b')], mounts: [{ id: 'x', layer: 1 }] }],
  ])('is read without %s', (_, part) => {
    const { steps = [], ...rest } = part as { steps?: unknown[] };
    const content = read({ layers, ...rest, steps: [...steps, { ...good, key: digestOf('good') }] });
    expect(content.steps.map(({ key }) => key)).toEqual([digestOf('good')]);
    expect(content.mounts.size).toBe(0);
    expect(content.malformed).toBeGreaterThan(0);
  });

  it('has no bytes of what is no layer that may be passed on', () => {
    for (const mediaType of ['text/html', 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip']) {
      const content = read({ layers, steps: [good] }, [blob('a', mediaType)]);
      expect(content.steps[0]!.result.layer).toEqual(own('a'));
    }
  });
});

describe('several sources', () => {
  const from = (...steps: SharedStep[]) => ({ steps, mounts: new Map<string, Layer>() });
  const names = (results: readonly { readonly layer: Layer }[]): Digest[] =>
    results.map(({ layer }) => layer.diffId);

  it('are asked in order, each layer once, by both keys of a step', () => {
    const contentKey = digestOf('c');
    const first = from(step('k', 'a', { contentKey }), step('other', 'b'));
    const second = from(step('k', 'b'), step('k', 'a'));
    const shared = joinShared([first, second]);
    expect(names(shared.find(digestOf('k')))).toEqual([digestOf('a'), digestOf('b')]);
    expect(shared.find(contentKey)).toEqual([{ layer: own('a'), created }]);
    expect(shared.find(digestOf('none'))).toEqual([]);
  });

  it('may know a great many results of one key', () => {
    const many = Array.from({ length: 60_000 }, (_, i) => step('k', `${i}`));
    expect(joinShared([from(...many)]).find(digestOf('k'))).toHaveLength(60_000);
  });

  it('fill a mount as the first of them has it', () => {
    const mount = (name: string) => ({ steps: [], mounts: new Map([['npm', own(name)]]) });
    expect(joinShared([mount('one'), mount('two')]).mount('npm')).toEqual(own('one'));
  });
});
