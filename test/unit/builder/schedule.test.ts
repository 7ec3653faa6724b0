import { describe, expect, it } from 'vitest';
import { schedule, scheduleAll } from '../../../builder/schedule.ts';
import type { Tools } from '../../../builder/tools.ts';
import { graphOf } from '../../../src/containerfile/graph.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import { digestOf, keyOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { EventBody } from '../../../src/core/events.ts';
import { gate } from '../../../src/core/gates.ts';
import type { BuildOptions } from '../../../src/core/options.ts';
import type { StepResult } from '../../../src/core/store.ts';
import type { Layer, Snapshot } from '../../../src/core/types.ts';

const platform = { os: 'linux', architecture: 'amd64' };

/** Runs that need no sandbox: WORKDIR makes layers, images come from `image`. */
function world(image: (reference: string) => Promise<Snapshot>) {
  const events: EventBody[] = [];
  const records = new Map<string, StepResult[]>();
  const options = {
    buildArgs: {},
    platforms: [],
    noCache: false,
    ulimits: [],
    addHosts: [],
  } as unknown as BuildOptions;
  const held = new Map<string, Promise<void>>();
  const hold = async (key: string): Promise<AsyncDisposable> => {
    const before = held.get(key);
    let release = (): void => {};
    held.set(key, new Promise<void>((resolve) => (release = resolve)));
    await before;
    return { [Symbol.asyncDispose]: async () => release() };
  };
  const tools = {
    options,
    emit: (event: EventBody) => events.push(event),
    signal: new AbortController().signal,
    gate: gate(4),
    made: new Map(),
    shared: async () => ({ find: () => [], mount: () => undefined }),
    image: async (reference: string) => ({ snapshot: await image(reference), local: true }),
    contexts: { find: async () => undefined },
    explain: async () => undefined,
    store: {
      ingredients: { put: () => {} },
      records: {
        find: (key: string) => records.get(key) ?? [],
        put: async (key: string, result: StepResult) => records.set(key, [result]),
        lock: async (key: string) => await hold(key),
      },
      layers: {
        lost: new Set(),
        isAtHand: () => true,
        origins: () => [],
        tarSize: () => undefined,
        listing: async () => [],
        writer: async () => {
          const entries: unknown[] = [];
          return {
            add: async (entry: { path: string }) => entries.push(entry.path),
            commit: async () => ({ diffId: keyOf(entries as string[]), own: true }),
            abandon: async () => {},
          };
        },
      },
    },
  } as unknown as Tools;
  return { tools, events };
}

const empty = (): Snapshot => ({
  layers: [],
  config: { ...platform, rootfs: { type: 'layers', diff_ids: [] } },
});

function graph(text: string, target?: string) {
  return graphOf(parse(text, 'Containerfile'), { buildArgs: {}, platform, ...(target && { target }) });
}

describe('schedule', () => {
  it('builds each needed stage once, and none that is not needed', async () => {
    const asked: string[] = [];
    const { tools, events } = world(async (reference) => {
      asked.push(reference);
      return empty();
    });
    const text =
      'FROM a AS base\nWORKDIR /x\nFROM base AS one\nWORKDIR /y\nFROM z AS unused\nFROM base\nWORKDIR /y\n';
    const { target: built } = await schedule(graph(text), tools);
    expect(asked).toEqual(['a']);
    const names = events.flatMap((event) => (event.type === 'step-start' ? [event.name] : []));
    expect(names).toEqual(['[base 1/2] FROM a AS base', '[base 2/2] WORKDIR /x', '[stage-3 2/2] WORKDIR /y']);
    expect(built.snapshot.layers).toHaveLength(2);
    expect(built.snapshot.layers[1]!.diffId).toBe(keyOf(['y']));
  });

  it('starts independent stages at the same time', async () => {
    let running = 0;
    let most = 0;
    const { tools } = world(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return empty();
    });
    await schedule(
      graph('FROM a AS one\nFROM b AS two\nFROM c\nCOPY --from=one / /\nCOPY --from=two / /\n'),
      tools,
    ).catch(() => {});
    expect(most).toBe(3);
  });

  it('stops the others at the first failure, waits for them and throws it', async () => {
    const order: string[] = [];
    const { tools, events } = world(async (reference) => {
      if (reference === 'bad') throw new BuildError('not-found', 'no such image');
      await new Promise((resolve) => setImmediate(resolve));
      order.push(reference);
      return empty();
    });
    const failing = schedule(
      graph('FROM bad AS one\nFROM slow AS two\nWORKDIR /w\nFROM one\nCOPY --from=two / /\n'),
      tools,
    );
    await expect(failing).rejects.toMatchObject({ code: 'not-found', location: { startLine: 1 } });
    expect(order).toEqual(['slow']);
    expect(events.some((event) => event.type === 'step-start' && event.name.includes('WORKDIR'))).toBe(false);
  });

  it('finds the same layer for the same step of two stages', async () => {
    const { tools, events } = world(async () => empty());
    await schedule(
      graph('FROM a AS one\nWORKDIR /w\nFROM a\nWORKDIR /w\nCOPY --from=one /w /v\n'),
      tools,
    ).catch(() => {});
    const outcomes = events.flatMap((event) =>
      event.type === 'step-end' && event.step.endsWith('/2') ? [event.outcome] : [],
    );
    expect(outcomes.sort()).toEqual(['cached', 'done']);
  });

  it('builds a stage that only a trigger of a base image copies from', async () => {
    const trigger = {
      ...empty(),
      config: { ...empty().config, config: { OnBuild: ['COPY --from=lib / /l'] } },
    };
    const { tools, events } = world(async (reference) => (reference === 'onbuild' ? trigger : empty()));
    const text = 'FROM a AS unused\nWORKDIR /u\nFROM a AS lib\nWORKDIR /l\nFROM onbuild\nWORKDIR /x\n';
    await schedule(graph(text), tools);
    const names = events.flatMap((event) => (event.type === 'step-start' ? [event.name] : []));
    expect(names).toContain('[lib 2/2] WORKDIR /l');
    expect(names).toContain('[2/3] COPY --from=lib / /l');
    expect(names.join()).not.toContain('unused');
  });

  it('says where the base image stands whose trigger failed', async () => {
    const trigger = {
      ...empty(),
      config: { ...empty().config, config: { OnBuild: ['COPY --from=none / /l'] } },
    };
    const { tools } = world(async (reference) => {
      if (reference === 'none') throw new BuildError('not-found', 'no such image');
      return trigger;
    });
    const failure = schedule(graph('# one\nFROM onbuild\n'), tools);
    await expect(failure).rejects.toMatchObject({ location: { file: 'Containerfile', startLine: 2 } });
  });

  it('says where the disk became full', async () => {
    const { tools } = world(async () => empty());
    const writer = async () => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    Object.assign(tools.store.layers, { writer });
    const failure = schedule(graph('FROM a\nWORKDIR /x\n'), tools);
    await expect(failure).rejects.toMatchObject({ code: 'disk-full', location: { startLine: 2 } });
  });
});

describe('scheduleAll', () => {
  const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
  const text =
    'FROM --platform=$BUILDPLATFORM a AS tools\nWORKDIR /t\nFROM --platform=$BUILDPLATFORM a AS cross\n' +
    'ARG TARGETARCH\nWORKDIR /$TARGETARCH\nFROM scratch\nWORKDIR /x\nCOPY --from=tools / /l\nCOPY --from=cross / /l\n';
  const graphs = (given = text) =>
    platforms.map((target) =>
      graphOf(parse(given, 'Containerfile'), {
        buildArgs: {},
        platform: target,
        buildPlatform: platforms[0]!,
      }),
    );
  const named = (tools: Tools) => Object.assign(tools.options, { platforms });

  it('makes a step that two platforms share once, even without the cache', async () => {
    const { tools, events } = world(async () => empty());
    Object.assign(tools.options, { noCache: true });
    named(tools);
    await scheduleAll(graphs('FROM --platform=$BUILDPLATFORM a\nWORKDIR /t\n'), tools);
    const outcomes = events.flatMap((event) =>
      event.type === 'step-end' && event.step.endsWith('/2') ? [[event.step, event.outcome]] : [],
    );
    expect(outcomes.sort()).toEqual([
      ['linux/amd64/0/2', 'done'],
      ['linux/arm64/0/2', 'cached'],
    ]);
  });

  it('names each step with its platform, and with the target where the stage asks for that', async () => {
    const { tools, events } = world(async () => empty());
    named(tools);
    await scheduleAll(graphs(), tools);
    const names = events.flatMap((event) => (event.type === 'step-start' ? [event.name] : []));
    expect(names.filter((name) => name.includes('WORKDIR')).sort()).toEqual([
      '[linux/amd64 cross 2/2] WORKDIR /$TARGETARCH',
      '[linux/amd64 stage-2 2/4] WORKDIR /x',
      '[linux/amd64 tools 2/2] WORKDIR /t',
      '[linux/amd64 tools 2/2] WORKDIR /t',
      '[linux/amd64->arm64 cross 2/2] WORKDIR /$TARGETARCH',
      '[linux/arm64 stage-2 2/4] WORKDIR /x',
    ]);
  });

  it('ends every platform when one fails, and throws what failed', async () => {
    const { tools } = world(async () => {
      throw new BuildError('not-found', 'no such image');
    });
    named(tools);
    await expect(scheduleAll(graphs('FROM a\n'), tools)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('starts over when a layer that a source promised is gone, and makes the step in question', async () => {
    const { tools, events } = world(async () => empty());
    const { layers } = tools.store;
    const gone: Layer = {
      diffId: digestOf('gone'),
      own: true,
      descriptor: { mediaType: 'x', digest: digestOf('blob'), size: 1 },
      origins: [{ host: 'registry', repository: 'cache' }],
    };
    const key = keyOf({ below: [], step: { step: 'workdir', path: '/w', user: '' } });
    Object.assign(tools, {
      shared: async () => ({
        find: (asked: string) => (asked === key ? [{ layer: gone, created: '2026-01-01T00:00:00Z' }] : []),
        mount: () => undefined,
      }),
    });
    Object.assign(layers, {
      isAtHand: ({ diffId }: Layer) => diffId !== gone.diffId,
      listing: async ({ diffId }: Layer) => {
        if (diffId !== gone.diffId) return [];
        layers.lost.add(diffId);
        throw new BuildError('not-found', 'no such blob');
      },
    });
    const { target } = await schedule(graph('FROM a\nWORKDIR /w\nWORKDIR /w/x\n'), tools);
    expect(target.snapshot.layers.map(({ diffId }) => diffId)).not.toContain(gone.diffId);
    const outcomes = events.flatMap((event) =>
      event.type === 'step-end' && event.step.endsWith('/2') ? [event.outcome] : [],
    );
    expect(outcomes).toEqual(['cached', 'done']);
  });

  it('fails where what is gone cannot be made again', async () => {
    const base: Layer = { diffId: digestOf('base'), own: false };
    const { tools } = world(async () => ({ ...empty(), layers: [base] }));
    Object.assign(tools.store.layers, { isAtHand: () => false });
    const failing = schedule(graph('FROM a\nWORKDIR /w\n'), tools);
    await expect(failing).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('base image'),
    });
  });
});
