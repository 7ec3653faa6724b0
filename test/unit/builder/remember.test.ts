import { describe, expect, it } from 'vitest';
import { type Candidate, LostLayer, type Recallable, remember } from '../../../builder/remember.ts';
import type { Tools } from '../../../builder/tools.ts';
import { type Digest, digestOf, type Framed } from '../../../src/core/digest.ts';
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

function world(lost: readonly string[] = []) {
  const records = new MemoryRecords();
  const gone = new Set(lost.map((name) => digestOf(name)));
  const layers = { lost: new Set(), isAtHand: (one: Layer) => !gone.has(one.diffId), origins: () => [] };
  const tools = {
    store: { records, layers },
    made: new Map(),
    options: {},
    shared: async () => ({ find: () => [], mount: () => undefined }),
    gate: <T>(task: () => Promise<T>) => task(),
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
});
