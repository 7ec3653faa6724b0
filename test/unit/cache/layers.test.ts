import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf, hexOf } from '../../../src/core/digest.ts';
import { mknod } from '../../../src/sys/file.ts';
import { lgetxattr, llistxattr, lsetxattr } from '../../../src/sys/xattr.ts';
import { skip } from '../../support/skips.ts';
import { bench, tarOf } from './open.ts';

async function read(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

const full = tarOf([
  { path: 'etc', type: 'dir' },
  { path: 'etc/passwd', type: 'file', content: 'root:x:0:0::/:/bin/sh\n' },
  { path: 'bin', type: 'dir', mode: 0o1777, mtime: 5 },
  { path: 'bin/su', type: 'file', content: 'su', mode: 0o4755 },
  { path: 'bin/su2', type: 'hardlink', link: 'bin/su' },
  { path: 'lib', type: 'symlink', link: '../../../etc' },
  { path: 'gone', type: 'whiteout' },
  { path: 'etc', type: 'opaque' },
  { path: 'pipe', type: 'fifo' },
]);

describe.skipIf(skip('a layer of a registry: its files belong to others', { root: true }))(
  'a layer of a registry',
  () => {
    it('is fetched once for its listing, and kept packed for whoever unpacks it', async () => {
      await using b = await bench();
      const layer = b.offer(full);
      const listing = await b.store.layers.listing(layer);
      expect(listing.map((entry) => `${entry.path} ${entry.type}`)).toEqual([
        'bin dir',
        'bin/su file',
        'bin/su2 hardlink',
        'etc dir',
        'etc opaque',
        'etc/passwd file',
        'gone whiteout',
        'lib symlink',
        'pipe fifo',
      ]);
      expect(b.store.layers.isAtHand(layer)).toBe(true);
      expect(await b.store.layers.readFile(layer, 'etc/passwd')).toEqual(
        Buffer.from('root:x:0:0::/:/bin/sh\n'),
      );
      await b.store.layers.tree(layer);
      expect(b.fetched()).toBe(1);
      expect((await b.store.layers.readFile(layer, 'bin/su2')).toString()).toBe('su');
      expect(b.store.layers.tarSize(layer)).toBe(full.length);
      expect(await (await b.reopen()).layers.listing(layer)).toEqual(listing);
    });

    it('is fetched once and unpacked as overlayfs wants it', async () => {
      await using b = await bench();
      const layer = b.offer(full);
      const [tree, again] = await Promise.all([b.store.layers.tree(layer), b.store.layers.tree(layer)]);
      expect(again).toBe(tree);
      expect(b.fetched()).toBe(1);
      expect(lstatSync(join(tree, 'bin/su')).mode & 0o7777).toBe(0o4755);
      expect(lstatSync(join(tree, 'bin/su')).ino).toBe(lstatSync(join(tree, 'bin/su2')).ino);
      expect(lstatSync(join(tree, 'bin')).mode & 0o7777).toBe(0o1777);
      expect(lstatSync(join(tree, 'bin')).mtimeMs).toBe(5000);
      expect(lstatSync(join(tree, 'gone')).isCharacterDevice()).toBe(true);
      expect(lgetxattr(join(tree, 'etc'), 'user.overlay.opaque').toString()).toBe('y');
      expect(await read(b.store.layers.tar(layer))).toEqual(full);
      expect(b.store.layers.isAtHand(layer)).toBe(true);
      expect((await b.store.layers.packed(layer, 'any')).descriptor).toEqual(layer.descriptor);
    });

    it('with other bytes than its name fails and leaves nothing', async () => {
      await using b = await bench();
      const layer = b.offer(full);
      const wrong = { ...layer, diffId: digestOf('other') };
      await expect(b.store.layers.tree(wrong)).rejects.toMatchObject({ code: 'digest-mismatch' });
      expect(b.store.blobs.has(layer.descriptor!.digest)).toBe(false);
      expect(existsSync(join(b.root, 'store/trees'))).toBe(false);
    });

    it('whose stored blob is damaged is refused, then fetched anew', async () => {
      await using b = await bench();
      const layer = b.offer(full);
      await b.store.layers.atHand(layer);
      const path = b.store.blobs.find(layer.descriptor!.digest)!;
      const bytes = readFileSync(path);
      bytes[40]! ^= 0xff;
      writeFileSync(path, bytes);
      await expect(b.store.layers.tree(layer)).rejects.toMatchObject({ code: 'digest-mismatch' });
      expect(readdirSync(await b.store.layers.tree(layer))).toContain('bin');
    });

    it('whose tree a crash of the machine cut short is unpacked anew', async () => {
      await using b = await bench();
      const layer = b.offer(full);
      const tree = await b.store.layers.tree(layer);
      const facts = `${tree}.json`;
      writeFileSync(facts, readFileSync(facts, 'utf8').replace(/"boot":"[^"]*"/, '"boot":"former"'));
      writeFileSync(join(tree, 'bin/su'), '');
      expect(readFileSync(join(await (await b.reopen()).layers.tree(layer), 'bin/su'), 'utf8')).toBe('su');
      expect(b.warnings.join()).toContain('damaged');
    });
  },
);

describe.skipIf(skip('a hostile layer: its files belong to others', { root: true }))(
  'a hostile layer',
  () => {
    const cases: [string, Parameters<typeof tarOf>[0]][] = [
      ['a device 0:0', [{ path: 'x', type: 'char', device: { major: 0, minor: 0 } }]],
      ['a hard link out of the layer', [{ path: 'x', type: 'hardlink', link: 'etc/shadow' }]],
      [
        'an entry below a file',
        [
          { path: 'x', type: 'file' },
          { path: 'x/y', type: 'file' },
        ],
      ],
      [
        'symlinks in a circle',
        [
          { path: 'a', type: 'symlink', link: 'b' },
          { path: 'b', type: 'symlink', link: 'a' },
          { path: 'a/x', type: 'file' },
        ],
      ],
    ];
    it.each(cases)('is refused for %s', async (_, entries) => {
      await using b = await bench();
      await expect(b.store.layers.tree(b.offer(tarOf(entries)))).rejects.toMatchObject({ code: 'layer' });
    });

    it('writes nothing through its symlinks out of the root', async () => {
      await using b = await bench();
      const outside = join(b.root, 'outside');
      mkdirSync(outside);
      const layer = b.offer(
        tarOf([
          { path: 'out', type: 'symlink', link: outside },
          { path: 'out/a', type: 'file', content: 'a' },
          { path: 'up', type: 'symlink', link: '../../../../../../tmp' },
          { path: 'up/b', type: 'file', content: 'b' },
          { path: 'f', type: 'symlink', link: join(outside, 'f') },
          { path: 'f', type: 'file', content: 'f' },
        ]),
      );
      const tree = await b.store.layers.tree(layer);
      expect(readdirSync(outside)).toEqual([]);
      expect(readFileSync(join(tree, outside, 'a'), 'utf8')).toBe('a');
      expect(readFileSync(join(tree, 'tmp/b'), 'utf8')).toBe('b');
      expect(lstatSync(join(tree, 'f')).isFile()).toBe(true);
      expect((await b.store.layers.listing(layer)).map((entry) => entry.path)).toContain('tmp/b');
    });

    it('loses the attributes that overlayfs and the store read', async () => {
      await using b = await bench();
      const xattrs = {
        'user.overlay.opaque': 'y',
        'trusted.overlay.redirect': '/etc',
        'user.overlay.metacopy': '',
        'user.tsbuild.owner': '1000:1000:c:1:5',
        'user.mine': '\x00\xff',
      };
      const tree = await b.store.layers.tree(b.offer(tarOf([{ path: 'd', type: 'dir', xattrs }])));
      expect(llistxattr(join(tree, 'd'))).toEqual(['user.mine']);
      expect(lgetxattr(join(tree, 'd'), 'user.mine')).toEqual(Buffer.from([0, 255]));
    });
  },
);

describe.skipIf(skip('a layer of our own: its files belong to others', { root: true }))(
  'a layer of our own',
  () => {
    it('is written as a deterministic tar', async () => {
      await using b = await bench();
      const file = join(b.root, 'content');
      writeFileSync(file, 'hello');
      const make = async () => {
        const writer = await b.store.layers.writer();
        await writer.add({ path: 'app', type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 100 });
        const added = await writer.add(
          { path: 'app/x', type: 'file', mode: 0o644, uid: 3_000_000, gid: 0, size: 5, mtime: 200 },
          file,
        );
        expect(added.digest).toBe(digestOf('hello'));
        return writer.commit();
      };
      const layer = await make();
      expect(await make()).toEqual(layer);
      expect(await read(b.store.layers.tar(layer))).toHaveLength(b.store.layers.tarSize(layer)!);
      const packed = await b.store.layers.packed(layer, 'gzip');
      expect(b.store.layers.descriptor(layer, 'gzip')).toEqual(packed.descriptor);
      const clamped = await b.store.layers.clamp(layer, 150);
      expect((await b.store.layers.listing(clamped)).map((entry) => entry.mtime)).toEqual([100, 150]);
      expect(digestOf(await read(b.store.layers.tar(clamped)))).toBe(clamped.diffId);
      expect(await b.store.layers.clamp(layer, 150)).toEqual(clamped);
      expect(await b.store.layers.clamp(layer, 500)).toEqual(layer);
      expect(readdirSync(await b.store.layers.tree(clamped))).toEqual(['app']);
    });

    it.each([3, 6])('fails by name for a file that was announced with 5 and has %i bytes', async (size) => {
      await using b = await bench();
      writeFileSync(join(b.root, 'f'), 'x'.repeat(size));
      const writer = await b.store.layers.writer();
      const entry = { path: 'f', type: 'file', mode: 0, uid: 0, gid: 0, size: 5, mtime: 0 } as const;
      await expect(writer.add(entry, join(b.root, 'f'))).rejects.toMatchObject({
        code: 'context',
        retry: true,
      });
      await writer.abandon();
      symlinkSync(join(b.root, 'f'), join(b.root, 'link'));
      const other = await b.store.layers.writer();
      await expect(other.add({ ...entry, size }, join(b.root, 'link'))).rejects.toMatchObject({
        code: 'context',
      });
      await other.abandon();
    });

    it('is made of an upper directory, which becomes its tree', async () => {
      await using b = await bench();
      await using scratch = await b.store.scratch();
      const upper = join(scratch.path, 'upper');
      for (const folder of ['', 'opaque', 'proc', 'kept']) mkdirSync(join(upper, folder));
      lsetxattr(join(upper, 'opaque'), 'user.overlay.opaque', Buffer.from('y'));
      lsetxattr(join(upper, 'opaque'), 'user.overlay.impure', Buffer.from('y'));
      // What a step sets by such a name, the kernel writes one level down; a mark of the store it writes as it is.
      for (const name of [
        'user.overlay.overlay.opaque',
        'user.overlay.overlay.redirect',
        'user.tsbuild.owner',
      ])
        lsetxattr(join(upper, 'opaque'), name, Buffer.from('y'));
      mknod(join(upper, 'w1'), 'char', { mode: 0, device: { major: 0, minor: 0 } });
      linkSync(join(upper, 'w1'), join(upper, 'w2'));
      writeFileSync(join(upper, 'b'), 'content');
      linkSync(join(upper, 'b'), join(upper, 'a'));
      lsetxattr(join(upper, 'b'), 'user.odd', Buffer.from([1, 0, 200]));
      writeFileSync(join(upper, 'kept/file'), '');
      const layer = await b.store.layers.commitUpper(upper, {
        residue: ['/proc', 'kept', 'absent'],
        below: [],
      });
      expect(existsSync(upper)).toBe(false);
      const listing = await b.store.layers.listing(layer);
      expect(listing.map((entry) => `${entry.path} ${entry.type} ${entry.link ?? ''}`.trim())).toEqual([
        'a file',
        'b hardlink a',
        'kept dir',
        'kept/file file',
        'opaque dir',
        'opaque opaque',
        'w1 whiteout',
        'w2 whiteout',
      ]);
      expect(listing[0]!.xattrs).toEqual({ 'user.odd': '\x01\x00\xc8' });
      expect(listing.find((entry) => entry.path === 'opaque')!.xattrs).toBeUndefined();
      const tar = await read(b.store.layers.tar(layer));
      expect(digestOf(tar)).toBe(layer.diffId);
      expect((await b.store.layers.tree(layer)).endsWith(hexOf(layer.diffId))).toBe(true);
      const foreign = { ...b.offer(tar), own: false };
      expect(await (await b.reopen('other')).layers.tree(foreign)).toContain('v1-other');
    });

    it('leaves out directories that were copied up for a mountpoint alone, and takes in a root that changed', async () => {
      await using b = await bench();
      await using scratch = await b.store.scratch();
      const upper = join(scratch.path, 'upper');
      for (const folder of ['', 'etc', 'run', 'run/secrets', 'opt'])
        mkdirSync(join(upper, folder), { mode: 0o755 });
      chmodSync(upper, 0o700);
      chmodSync(join(upper, 'opt'), 0o711);
      writeFileSync(join(upper, 'etc/hosts'), '');
      const dir = { type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 1 } as const;
      const layer = await b.store.layers.commitUpper(upper, {
        residue: ['etc/hosts', 'run/secrets'],
        below: ['', 'etc', 'run', 'opt'].map((path) => ({ path, ...dir })),
      });
      const listing = await b.store.layers.listing(layer);
      expect(listing.map(({ path, mode }) => [path, mode])).toEqual([
        ['', 0o700],
        ['opt', 0o711],
      ]);
    });

    it('names the file that is not what the step left', async () => {
      await using b = await bench();
      await using scratch = await b.store.scratch();
      mkdirSync(join(scratch.path, 'upper'));
      writeFileSync(join(scratch.path, 'upper/f'), 'one');
      const layer = await b.store.layers.commitUpper(join(scratch.path, 'upper'), { residue: [], below: [] });
      writeFileSync(join(await b.store.layers.tree(layer), 'f'), 'two');
      await expect(read(b.store.layers.tar(layer))).rejects.toThrow('"f"');
    });

    it('cannot hold a name that marks a deletion', async () => {
      await using b = await bench();
      await using scratch = await b.store.scratch();
      mkdirSync(join(scratch.path, 'upper'));
      writeFileSync(join(scratch.path, 'upper/.wh.x'), '');
      await expect(
        b.store.layers.commitUpper(join(scratch.path, 'upper'), { residue: [], below: [] }),
      ).rejects.toMatchObject({ code: 'layer' });
    });
  },
);
