import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingParts, resolveIn } from '../../../builder/sandbox/rootfs-view.ts';
import { lsetxattr } from '../../../src/sys/xattr.ts';
import { skip } from '../../support/skips.ts';

describe('a root seen through its layers', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-view-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A layer: names ending in `/` are directories, `a -> b` links, others files. */
  function layer(name: string, entries: readonly string[]): string {
    const root = join(folder, name);
    mkdirSync(root);
    for (const entry of entries) {
      const [path = '', link] = entry.split(' -> ');
      const at = join(root, path);
      mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true });
      if (link !== undefined) symlinkSync(link, at);
      else if (!path.endsWith('/')) writeFileSync(at, '');
    }
    return root;
  }

  it.each([
    ['/etc/hosts', 'etc/hosts', 2],
    ['/var/run/x', 'run/x', 1],
    ['/loop', undefined, 0],
    ['/up/etc/hosts', 'etc/hosts', 2],
    ['/gone/below', 'not/there/below', 0],
    ['/etc/hosts/x', 'etc/hosts/x', 2],
    ['//etc/./../etc/', 'etc', 1],
    ['/', '', 0],
  ])('resolves %s inside the root', (path, resolved, existing) => {
    const top = layer('top', [
      'var/run -> /run',
      'loop -> loop',
      'up -> ../../../../..',
      'gone -> not/there',
    ]);
    const low = layer('low', ['etc/hosts', 'run/', 'var/log/']);
    if (resolved === undefined) expect(() => resolveIn([top, low], path)).toThrow('too many symbolic links');
    else expect(resolveIn([top, low], path)).toMatchObject({ path: resolved, existing });
  });

  it('does not follow a link of a lower layer that a directory covers', () => {
    const top = layer('top', ['etc/']);
    const low = layer('low', ['etc -> /usr', 'usr/hosts']);
    expect(resolveIn([top, low], '/etc/hosts')).toEqual({ path: 'etc/hosts', existing: 1, directory: false });
  });

  it('tells which parts of a mount target are missing', () => {
    const low = layer('low', ['run/']);
    expect(missingParts([low], '/run/secrets/a')).toEqual(['run/secrets', 'run/secrets/a']);
    expect(missingParts([low], '/run')).toEqual([]);
  });

  it('honours an opaque directory', () => {
    const top = layer('top', ['etc/']);
    const low = layer('low', ['etc/hosts']);
    expect(resolveIn([top, low], '/etc/hosts').existing).toBe(2);
    lsetxattr(join(top, 'etc'), 'user.overlay.opaque', Buffer.from('y'));
    expect(resolveIn([top, low], '/etc/hosts').existing).toBe(1);
  });

  it.skipIf(skip('whiteouts', { root: true }))('honours a whiteout', () => {
    const top = layer('top', ['etc/']);
    execFileSync('mknod', [join(top, 'etc/hosts'), 'c', '0', '0']);
    const low = layer('low', ['etc/hosts']);
    expect(resolveIn([top, low], '/etc/hosts').existing).toBe(1);
  });
});
