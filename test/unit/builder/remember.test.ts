import { describe, expect, it } from 'vitest';
import {
  type Candidate,
  type Learnt,
  LostLayer,
  type Recallable,
  remember,
} from '../../../builder/remember.ts';
import type { Tools } from '../../../builder/tools.ts';
import { type Digest, digestOf, type Framed, keyOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { Records, StepResult } from '../../../src/core/store.ts';
import type { Layer, Snapshot } from '../../../src/core/types.ts';

const layer = (name: string): Layer => ({ diffId: digestOf(name), own: true });

class MemoryRecords implements Records {
  readonly map = new Map<Digest, StepResult[]>();
  readonly locks: Digest[] = [];
  find(key: Digest): readonly StepResult[] {
    return this.map.get(key) ?? [];
  }
  async put(key: Digest, result: StepResult, _ingredients: Framed): Promise<void> {
    const others = this.find(key).filter((one) => one.layer.diffId !== result.layer.diffId);
    this.map.set(key, [result, ...others]);
  }
  async lock(key: Digest): Promise<AsyncDisposable> {
    this.locks.push(key);
    return { [Symbol.asyncDispose]: async () => {} };
  }
}

interface Sources {
  readonly [key: string]: readonly StepResult[];
}

function world(lost: readonly string[] = [], sources: Sources = {}) {
  const records = new MemoryRecords();
  const gone = new Set(lost.map((name) => digestOf(name)));
  const layers = { lost: new Set(), isAtHand: (one: Layer) => !gone.has(one.diffId), origins: () => [] };
  const tools = {
    store: { records, layers },
    made: new Map(),
    options: {},
    shared: async () => ({ find: (key: string) => sources[key] ?? [], mount: () => undefined }),
    gate: <T>(task: () => Promise<T>) => task(),
    emit: () => {},
    signal: new AbortController().signal,
  } as unknown as Tools;
  return { records, tools };
}

const start: Candidate[] = [{ snapshot: { layers: [], config: {} as Snapshot['config'] }, taken: [] }];
const policy = { lookUp: true, obtainable: false };

function counted(name: string, fields: Partial<Recallable> = {}): Recallable & { made: number } {
  const step: Recallable & { made: number } = {
    first: { step: name },
    made: 0,
    make: async () => {
      step.made++;
      return layer(`${name}${step.made}`);
    },
    ...fields,
  };
  return step;
}

describe('remember', () => {
  it('makes a step once and recalls it afterwards', async () => {
    const { tools } = world();
    const step = counted('a');
    const made = await remember(start, step, policy, tools);
    const again = await remember(start, step, policy, tools);
    expect([made.cached, again.cached, step.made]).toEqual([false, true, 1]);
    expect(again.layer.diffId).toBe(digestOf('a1'));
    expect(again.candidates[0]!.taken).toHaveLength(1);
  });

  it('knows the same step on other layers as another one', async () => {
    const { tools } = world();
    const step = counted('a');
    await remember(start, step, policy, tools);
    const other: Candidate[] = [
      { snapshot: { layers: [layer('x')], config: {} as Snapshot['config'] }, taken: [] },
    ];
    expect((await remember(other, step, policy, tools)).cached).toBe(false);
  });

  it('recalls by content, and from then on by the first key alone', async () => {
    const { tools } = world();
    let asked = 0;
    const content = async () => {
      asked++;
      return { files: 'same' };
    };
    await remember(start, counted('copy', { first: { from: 1 }, content }), policy, tools);
    const renamed = counted('copy', { first: { from: 2 }, content });
    expect((await remember(start, renamed, policy, tools)).cached).toBe(true);
    expect(asked).toBe(2);
    expect((await remember(start, renamed, policy, tools)).cached).toBe(true);
    expect([asked, renamed.made]).toEqual([2, 0]);
  });

  it('notes both keys of a step, however it is known', async () => {
    const { tools } = world();
    const step = counted('copy', { first: { from: 1 }, content: async () => ({ files: 'same' }) });
    const both = async (first: Framed) => {
      const { candidates } = await remember(start, { ...step, first }, policy, tools);
      const { key, result } = candidates[0]!.taken[0]!;
      return [key, result.contentKey];
    };
    const keys = (first: Framed) => [
      keyOf({ below: [], step: first }),
      keyOf({ below: [], step: { files: 'same' } }),
    ];
    expect(await both({ from: 1 })).toEqual(keys({ from: 1 }));
    expect(await both({ from: 1 })).toEqual(keys({ from: 1 }));
    expect(await both({ from: 2 })).toEqual(keys({ from: 2 }));
    expect(step.made).toBe(1);
  });

  it('tells what it learns of a step: before it makes it, and where it is known by content alone', async () => {
    const { tools } = world();
    const learnt: unknown[] = [];
    const telling = { ...policy, learn: (one: Learnt) => learnt.push([step.made, one]) };
    const content = async () => ({ files: 'same' });
    const lists = () => [{ of: digestOf('x'), text: 'x', tops: [] }];
    const step = counted('copy', { first: { from: 1 }, content, lists });
    await remember(start, step, telling, tools);
    await remember(start, step, telling, tools);
    await remember(start, { ...step, first: { from: 2 } }, telling, tools);
    const contentKey = keyOf({ below: [], step: { files: 'same' } });
    const about = (from: number, cached: boolean) => ({
      ...{
        below: [],
        first: { from },
        content: { files: 'same' },
        contentKey,
        cached,
        lists: expect.any(Function),
      },
      key: keyOf({ below: [], step: { from } }),
    });
    expect(learnt).toEqual([
      [0, about(1, false)],
      [1, about(2, true)],
    ]);
  });

  it('follows every result of a key, so that a chain that ends early is found under another', async () => {
    const { tools } = world();
    const first = counted('a');
    const second = counted('b');
    const one = await remember(start, first, policy, tools);
    await remember(one.candidates, second, policy, tools);
    tools.made.clear();
    await remember(start, first, { lookUp: false, obtainable: false }, tools);
    const both = await remember(start, first, policy, tools);
    expect(both.candidates.map(({ snapshot }) => snapshot.layers[0]!.diffId)).toEqual([
      digestOf('a2'),
      digestOf('a1'),
    ]);
    const chain = await remember(both.candidates, second, policy, tools);
    expect([chain.cached, second.made]).toEqual([true, 1]);
  });

  it('passes over results whose bytes are gone where they are wanted, and says so where it has to build on them', async () => {
    const { tools, records } = world(['gone']);
    const step = counted('a');
    await remember(start, { ...step, make: async () => layer('gone') }, policy, tools);
    expect((await remember(start, step, policy, tools)).cached).toBe(true);
    expect((await remember(start, step, { lookUp: true, obtainable: true }, tools)).cached).toBe(false);
    const onGone: Candidate[] = [
      { snapshot: { layers: [layer('gone')], config: {} as Snapshot['config'] }, taken: [] },
    ];
    await expect(remember(onGone, counted('b'), policy, tools)).rejects.toThrow(LostLayer);
    expect(records.map.size).toBe(1);
  });

  it('takes what another build made while this one waited for the lock', async () => {
    const { tools, records } = world();
    const step = counted('a');
    const lock = records.lock.bind(records);
    records.lock = async (key) => {
      await records.put(key, { layer: layer('theirs'), created: '2026-01-01T00:00:00Z' }, null);
      return await lock(key);
    };
    const got = await remember(start, step, policy, tools);
    expect([got.cached, got.layer.diffId, step.made]).toEqual([true, digestOf('theirs'), 0]);
  });

  describe('with cache sources', () => {
    const place = { host: 'registry', repository: 'cache' };
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
    const descriptor = { mediaType, digest: digestOf('blob'), size: 4 };
    const far = (name: string): Layer => ({ ...layer(name), descriptor, origins: [place] });
    const created = '2026-01-01T00:00:00Z';
    const keyFor = (step: Framed): Digest => keyOf({ below: [], step });

    it('takes what a source knows, and knows it from then on without its place', async () => {
      const key = keyFor({ step: 'a' });
      const { tools, records } = world(['x'], { [key]: [{ layer: far('x'), created }] });
      const step = counted('a');
      const found = await remember(start, step, { lookUp: true, obtainable: true }, tools);
      expect([found.cached, step.made]).toEqual([true, 0]);
      expect(found.layer.origins).toEqual([place]);
      const { origins: _, ...kept } = far('x');
      expect(records.find(key)).toEqual([{ layer: kept, created }]);
    });

    it('learns what a step is that others have made', async () => {
      const { tools } = world(['x'], { [keyFor({ step: 'a' })]: [{ layer: far('x'), created }] });
      const learnt: Learnt[] = [];
      const telling = { ...policy, learn: (one: Learnt) => learnt.push(one) };
      await remember(start, counted('a'), telling, tools);
      expect(learnt).toMatchObject([{ first: { step: 'a' }, key: keyFor({ step: 'a' }), cached: true }]);
      await tools.store.records.put(keyFor({ step: 'b' }), { layer: layer('own'), created }, null);
      await remember(start, counted('b'), telling, tools);
      expect(learnt).toHaveLength(1);
    });

    it('does not ask them where nothing is to be looked up', async () => {
      const { tools } = world([], { [keyFor({ step: 'a' })]: [{ layer: far('x'), created }] });
      const step = counted('a');
      await remember(start, step, { lookUp: false, obtainable: false }, tools);
      expect(step.made).toBe(1);
    });

    it('prefers what is here, and follows both', async () => {
      const key = keyFor({ step: 'a' });
      const { tools } = world(['x'], { [key]: [{ layer: far('x'), created }] });
      const step = counted('a');
      await tools.store.records.put(key, { layer: layer('own'), created }, null);
      const found = await remember(start, step, { lookUp: true, obtainable: true }, tools);
      expect(found.candidates.map(({ taken }) => taken[0]!.result.layer.diffId)).toEqual([
        digestOf('own'),
        digestOf('x'),
      ]);
    });

    it('has the bytes of an own result from a source where they are gone here', async () => {
      const key = keyFor({ step: 'a' });
      const { tools } = world(['x'], { [key]: [{ layer: far('x'), created: '2020-01-01T00:00:00Z' }] });
      await tools.store.records.put(key, { layer: layer('x'), created }, null);
      const found = await remember(start, counted('a'), { lookUp: true, obtainable: true }, tools);
      expect(found.candidates).toHaveLength(1);
      expect(found.candidates[0]!.taken[0]!.result).toEqual({ layer: far('x'), created });
    });

    it('makes the step again once its layer has turned out to be gone', async () => {
      const key = keyFor({ step: 'a' });
      const { tools } = world(['x'], { [key]: [{ layer: far('x'), created }] });
      tools.store.layers.lost.add(digestOf('x'));
      const step = counted('a');
      const found = await remember(start, step, { lookUp: true, obtainable: true }, tools);
      expect([found.cached, step.made]).toEqual([false, 1]);
    });

    it('starts over when a layer is found to be gone while the work is done', async () => {
      const { tools } = world();
      const make = async (): Promise<Layer> => {
        tools.store.layers.lost.add(digestOf('x'));
        throw new BuildError('not-found', 'no such blob');
      };
      const failing = remember(start, counted('a', { make }), policy, tools);
      await expect(failing).rejects.toMatchObject({ isNews: true });
      const other = remember(start, counted('a', { make }), policy, tools);
      await expect(other).rejects.toMatchObject({ code: 'not-found' });
    });

    it('needs no more than the clamped layer where the output wants that', async () => {
      const clamped = { epoch: 7, layer: far('clamped') };
      const key = keyFor({ step: 'a' });
      const { tools } = world(['x', 'clamped'], { [key]: [{ layer: layer('x'), created, clamped }] });
      const wanted = { lookUp: true, obtainable: true };
      const at = (epoch: number) => ({ ...tools, options: { sourceDateEpoch: epoch } }) as Tools;
      expect((await remember(start, counted('a'), wanted, at(7))).cached).toBe(true);
      expect((await remember(start, counted('a'), wanted, at(8))).cached).toBe(false);
    });

    it('asks for the content though what is below cannot be read, and says what is missing where that is in vain', async () => {
      const below: Candidate[] = [
        { snapshot: { layers: [layer('gone')], config: {} as Snapshot['config'] }, taken: [] },
      ];
      const files = { files: 1 };
      const key = keyOf({ below: [digestOf('gone')], step: files });
      const { tools } = world(['gone'], { [key]: [{ layer: far('x'), created }] });
      const content = async (readable: Snapshot | undefined) => {
        expect(readable).toBeUndefined();
        return files;
      };
      const step = counted('copy', { content });
      const found = await remember(below, { ...step, first: undefined }, policy, tools);
      expect(found.cached).toBe(true);
      const other = remember(below, counted('other', { content: async () => ({ files: 2 }) }), policy, tools);
      await expect(other).rejects.toMatchObject({ missing: [digestOf('gone')], isNews: false });
    });
  });
});
