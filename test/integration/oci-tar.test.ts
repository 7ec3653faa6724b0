import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf } from '../../src/core/bytes.ts';
import { randomItems, read, tarOf } from '../unit/oci/samples.ts';

let root = '';
let tree = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbuild-tar-'));
  tree = join(root, 'tree');
  mkdirSync(join(tree, 'd', 'l'.repeat(120)), { recursive: true });
  writeFileSync(join(tree, 'd/f'), 'content');
  linkSync(join(tree, 'd/f'), join(tree, 'hard'));
  symlinkSync('d/f', join(tree, 'soft'));
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x62, 0xff, 0x64])]), 'odd');
  writeFileSync(join(tree, 'd', 'l'.repeat(120), 'n'.repeat(130)), 'long');
  const fd = openSync(join(tree, 'sparse'), 'w');
  for (let i = 0; i < 60; i++) writeSync(fd, Buffer.alloc(4096, i + 1), 0, 4096, i * 65_536);
  ftruncateSync(fd, 70 * 65_536);
  closeSync(fd);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const sparse = Buffer.alloc(70 * 65_536);
for (let i = 0; i < 60; i++) sparse.fill(i + 1, i * 65_536, i * 65_536 + 4096);

describe('tars of GNU tar', () => {
  it.each([
    ['gnu', ['--format=gnu', '-S'], true],
    ['oldgnu', ['--format=oldgnu', '-S'], true],
    ['pax', ['--format=pax', '-S'], true],
    ['sparse 0.0', ['--format=pax', '-S', '--sparse-version=0.0'], true],
    ['sparse 0.1', ['--format=pax', '-S', '--sparse-version=0.1'], true],
    ['ustar', ['--format=ustar', '--exclude=l*'], false],
    ['v7', ['--format=v7', '--exclude=l*'], false],
  ] as const)('of the format %s are read', (_, options, hasLong) => {
    const tar = execFileSync('tar', [...options, '--sort=name', '-cf', '-', '.'], {
      cwd: tree,
      maxBuffer: 2 ** 26,
    });
    for (const step of [tar.length, 10_000, 333]) {
      const items = new Map(read(tar, step).map((one) => [one.entry.path, one]));
      const long = ['d/'.concat('l'.repeat(120)), `d/${'l'.repeat(120)}/${'n'.repeat(130)}`];
      const names = ['', 'b\udcffd', 'd', 'd/f', ...(hasLong ? long : []), 'hard', 'soft', 'sparse'];
      expect([...items.keys()].sort()).toEqual(names);
      expect(items.get('sparse')!.entry.size).toBe(sparse.length);
      expect(items.get('sparse')!.content.equals(sparse)).toBe(true);
      expect(items.get('d/f')!.content.toString()).toBe('content');
      expect(items.get('hard')!.entry).toMatchObject({ type: 'hardlink', link: 'd/f' });
      expect(items.get('soft')!.entry).toMatchObject({ type: 'symlink', link: 'd/f' });
      if (hasLong) expect(items.get(long[1]!)!.content.toString()).toBe('long');
    }
  });
});

describe('our tars', () => {
  const items = randomItems(21, 300);
  const python = `
import sys, tarfile, io, json
out = []
for m in tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()), errors='surrogateescape'):
    data = tarfile.TarFile.extractfile
    out.append([m.name.encode('utf-8', 'surrogateescape').hex(), m.type.decode(), m.mode, m.uid, m.gid, m.size, float(m.mtime),
      m.linkname.encode('utf-8', 'surrogateescape').hex(),
      {k[13:]: v.encode('utf-8', 'surrogateescape').hex() for k, v in m.pax_headers.items() if k.startswith('SCHILY.xattr.')}])
print(json.dumps(out))`;
  const flags = {
    file: '0',
    hardlink: '1',
    symlink: '2',
    char: '3',
    block: '4',
    dir: '5',
    fifo: '6',
  } as Record<string, string>;

  it('say the same to Python', () => {
    const output = execFileSync('python3', ['-c', python], { input: tarOf(items), maxBuffer: 2 ** 26 });
    const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
    expect(JSON.parse(output.toString())).toEqual(
      items.map(({ entry }) => [
        bytesOf(entry.path).toString('hex'),
        flags[entry.type],
        entry.mode,
        entry.uid,
        entry.gid,
        entry.size,
        entry.mtime,
        bytesOf(entry.link ?? '').toString('hex'),
        Object.fromEntries(Object.entries(entry.xattrs ?? {}).map(([key, value]) => [key, hex(value)])),
      ]),
    );
  });

  it('say the same to GNU tar', () => {
    const listing = execFileSync(
      'tar',
      ['--quoting-style=literal', '--null', '--numeric-owner', '-tvf', '-'],
      {
        input: tarOf(items),
        maxBuffer: 2 ** 26,
        encoding: 'latin1',
      },
    );
    for (const { entry } of items) expect(listing).toContain(bytesOf(entry.path).toString('latin1'));
    const owners = [...listing.matchAll(/^.{10} (\d+)\/(\d+) /gm)].map((match) => [
      Number(match[1]),
      Number(match[2]),
    ]);
    expect(owners).toEqual(items.map(({ entry }) => [entry.uid, entry.gid]));
  });
});
