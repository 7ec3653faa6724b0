import { describe, expect, it } from 'vitest';
import { holdMounts } from '../../../builder/steps/run-holding.ts';
import type { RunMount } from '../../../builder/steps/run-mounts.ts';
import type { Tools } from '../../../builder/tools.ts';

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

function failing(code: string): Tools {
  const hold = async () => {
    throw Object.assign(new Error('chown'), { code });
  };
  return { store: { mounts: { hold } } } as unknown as Tools;
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
    const tools = { store: { mounts: { hold } } } as unknown as Tools;
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
    [true, 'locked'],
    [false, 'shared'],
  ])('are in one step at a time where they are moved: %j, %s', async (moved, wanted) => {
    const asked: string[] = [];
    const hold = async (_: string, { sharing }: { sharing: string }) => {
      asked.push(sharing);
      return { path: '/mounts/c', [Symbol.asyncDispose]: async () => {} };
    };
    const tools = { store: { mounts: { hold } } } as unknown as Tools;
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
