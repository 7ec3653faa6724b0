import { describe, expect, it } from 'vitest';
import { holdMounts, type RunMount } from '../../../builder/steps/run-mounts.ts';
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
    const held = holdMounts({ mounts: [cache], command, freshMounts: false }, '/nowhere', failing('EINVAL'));
    await expect(held).rejects.toMatchObject({
      code: 'sandbox',
      message: expect.stringContaining('70000:5'),
    });
  });

  it('leave other failures as they are', async () => {
    const held = holdMounts({ mounts: [cache], command, freshMounts: false }, '/nowhere', failing('EIO'));
    await expect(held).rejects.toMatchObject({ code: 'EIO' });
  });
});
