import { expect, it } from 'vitest';
import type { ContextFile } from '../../../builder/context/context.ts';
import { archiveContext } from '../../../builder/context/stdin.ts';
import type { EntryType } from '../../../src/core/types.ts';

const common = { mode: 0o644, uid: 7, gid: 7, size: 0, mtime: 0 };
const file = (path: string, type: EntryType): ContextFile => ({
  entry: { ...common, path, type },
  absolute: '',
});

it.each([
  [file('l', 'symlink'), file('l/a', 'file')],
  [file('l/deep/a', 'file'), file('l', 'symlink')],
  [file('l/a', 'dir'), file('l', 'file')],
])('an archive with files below what is no folder is refused', (...files) => {
  expect(() => archiveContext(files)).toThrow('below "l", which is no folder');
});

it('files of an archive belong to root, and folders need no entry', () => {
  const context = archiveContext([file('deep/a', 'file'), file('link', 'symlink')]);
  expect(context.get('deep/a')?.entry).toMatchObject({ uid: 0, gid: 0 });
});
