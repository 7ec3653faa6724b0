import { describe, expect, it } from 'vitest';
import { holdMounts } from '../../../builder/steps/run-holding.ts';
import type { RunMount } from '../../../builder/steps/run-mounts.ts';
import type { Tools } from '../../../builder/tools.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { EventBody } from '../../../src/core/events.ts';
import type { Layer } from '../../../src/core/types.ts';

const cache: RunMount = {
  type: 'cache',
  target: '/c',
  id: '/c',
  sharing: 'shared',
  readonly: false,
  mode: 0o755,
  uid: 70_000,
  gid: 5,
};
const command = { args: [], files: [] };

interface World {
  /** Mounts of this machine. */
  readonly known?: readonly string[];
  /** What cache sources have, by mount. */
  readonly shared?: Readonly<Record<string, Layer>>;
  readonly notes?: string[];
}

function toolsWith(hold: unknown, { known = [], shared = {}, notes = [] }: World = {}): Tools {
  const seedOf = async ({ diffId }: Layer) => {
    if (diffId === bad.diffId) throw new BuildError('layer', 'it holds a device');
    return `/trees/${diffId}`;
  };
  return {
    store: { mounts: { hold, seedOf, has: (id: string) => known.includes(id) } },
    cacheMounts: new Set(),
    shared: async () => ({ find: () => [], mount: (id: string) => shared[id] }),
    emit: (event: EventBody) => event.type === 'note' && notes.push(event.text),
    signal: new AbortController().signal,
  } as unknown as Tools;
}

const good: Layer = { diffId: digestOf('good'), own: true };
const bad: Layer = { diffId: digestOf('bad'), own: true };

function failing(code: string): Tools {
  const hold = async () => {
    throw Object.assign(new Error('chown'), { code });
  };
  return toolsWith(hold);
}

describe('mounts of a RUN', () => {
  it('name the owner that cannot be had', async () => {
    const held = holdMounts(
      { mounts: [cache], command, freshMounts: false, form: 'overlay', moved: false },
      '/nowhere',
      failing('EINVAL'),
    );
    await expect(held).rejects.toMatchObject({
      code: 'sandbox',
      message: expect.stringContaining('70000:5'),
    });
  });

  it('are waited for in one order, each id once, and mounted in the order written', async () => {
    const asked: string[] = [];
    const hold = async (id: string) => {
      asked.push(id);
      return { path: `/mounts/${id}`, [Symbol.asyncDispose]: async () => void asked.push(`-${id}`) };
    };
    const tools = toolsWith(hold);
    const mounts = [
      { ...cache, id: 'b', target: '/1' },
      { ...cache, id: 'a', target: '/2' },
      { ...cache, id: 'b', target: '/3' },
    ];
    const held = await holdMounts(
      { mounts, command, freshMounts: false, form: 'overlay', moved: false },
      '/nowhere',
      tools,
    );
    expect(asked).toEqual(['a', 'b']);
    const places = held.mounts.map((mount) => [mount.target, 'source' in mount && mount.source]);
    expect(places).toEqual([
      ['/1', '/mounts/b'],
      ['/2', '/mounts/a'],
      ['/3', '/mounts/b'],
    ]);
    await held[Symbol.asyncDispose]();
    expect(asked).toEqual(['a', 'b', '-a', '-b']);
  });

  it.each([
    ['new', {}, false, `/trees/${good.diffId}`],
    ['known here', { known: ['/c'] }, false, undefined],
    ['made afresh', {}, true, undefined],
    ['of another id', { shared: { other: good } }, false, undefined],
    ['shared and not usable', { shared: { '/c': bad } }, false, undefined],
  ])('begin with what a cache source has: %s', async (name, world, freshMounts, seed) => {
    const seeds: unknown[] = [];
    const notes: string[] = [];
    const hold = async (_: string, options: { readonly seed?: string }) => {
      seeds.push(options.seed);
      return { path: '/m', [Symbol.asyncDispose]: async () => {} };
    };
    const tools = toolsWith(hold, { shared: { '/c': good }, notes, ...world });
    const run = { mounts: [cache], command, freshMounts, form: 'overlay', moved: false } as const;
    await holdMounts(run, '/nowhere', tools);
    expect(seeds).toEqual([seed]);
    expect(notes).toEqual(
      name.includes('not usable') ? ['the cache mount /c begins empty: it holds a device'] : [],
    );
    expect([...tools.cacheMounts]).toEqual(['/c']);
  });

  it.each([
    [true, 'locked'],
    [false, 'shared'],
  ])('are in one step at a time where they are moved: %j, %s', async (moved, wanted) => {
    const asked: string[] = [];
    const hold = async (_: string, { sharing }: { sharing: string }) => {
      asked.push(sharing);
      return { path: '/mounts/c', [Symbol.asyncDispose]: async () => {} };
    };
    const tools = toolsWith(hold);
    await holdMounts(
      { mounts: [cache], command, freshMounts: false, form: 'copy', moved },
      '/nowhere',
      tools,
    );
    expect(asked).toEqual([wanted]);
  });

  it('leave other failures as they are', async () => {
    const held = holdMounts(
      { mounts: [cache], command, freshMounts: false, form: 'overlay', moved: false },
      '/nowhere',
      failing('EIO'),
    );
    await expect(held).rejects.toMatchObject({ code: 'EIO' });
  });
});
