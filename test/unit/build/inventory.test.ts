import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Package, purlOf } from '../../../src/attest/sbom/package.ts';
import { packagesIn } from '../../../src/build/inventory.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { Layers } from '../../../src/core/store.ts';
import type { Entry, Image } from '../../../src/core/types.ts';
import { removeTree } from '../../support/remove.ts';
import { skip } from '../../support/skips.ts';

const folder = mkdtempSync(join(tmpdir(), 'inventory-'));
afterAll(() => removeTree(folder));
const root = join(import.meta.dirname, '../../..');
const cases = join(root, 'testdata/sbom');

/** What is found in an image of one layer, which is a folder. */
async function found(tree: string): Promise<readonly Package[]> {
  const known = new Map<number, string>();
  const listing = (readdirSync(tree, { recursive: true, encoding: 'utf8' }) as string[])
    .sort()
    .map((path): Entry => {
      const stat = statSync(join(tree, path));
      const common = { path, mode: stat.mode & 0o7777, uid: 0, gid: 0, mtime: 0 };
      const first = stat.isDirectory() ? undefined : known.get(stat.ino);
      if (first !== undefined) return { ...common, type: 'hardlink', size: 0, link: first };
      known.set(stat.ino, path);
      return stat.isDirectory()
        ? { ...common, type: 'dir', size: 0 }
        : { ...common, type: 'file', size: stat.size, digest: digestOf(path) };
    });
  const layers = { listing: async () => listing, tree: async () => tree } as unknown as Layers;
  const image = { layers: [{ diffId: digestOf(tree), own: true }] } as unknown as Image;
  return await packagesIn(image, layers, new AbortController().signal);
}

function treeOf(name: string, files: Readonly<Record<string, string | Buffer>>): string {
  const tree = join(folder, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content, { mode: 0o755 });
  }
  return tree;
}

const lines = (all: readonly Package[]): string[] => all.map((one) => `${purlOf(one)} ${one.path}`);

describe('the packages of an image', () => {
  it.each(readdirSync(cases))('are those of %s', async (name) => {
    const json = <T>(file: string): T => JSON.parse(readFileSync(join(cases, name, file), 'utf8')) as T;
    const files = Object.entries(json<Record<string, string[]>>('files.json'));
    const tree = treeOf(name, Object.fromEntries(files.map(([path, text]) => [path, text.join('\n')])));
    expect(lines(await found(tree))).toEqual(json('packages.json'));
  });

  it('are those that rpm has installed', {
    skip: skip('packages of rpm', { programs: ['rpmbuild', 'rpm'] }),
  }, async () => {
    const tree = treeOf('rpm', { 'etc/os-release': 'ID=fedora\nVERSION_ID=40\n' });
    const spec = join(folder, 'hello.spec');
    writeFileSync(
      spec,
      'Name: hello\nVersion: 1.2\nRelease: 3\nEpoch: 4\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n%files\n',
    );
    const top = join(folder, 'rpmbuild');
    execFileSync('rpmbuild', ['--quiet', '--define', `_topdir ${top}`, '-bb', spec], { stdio: 'ignore' });
    const built = join(top, 'RPMS/noarch/hello-1.2-3.noarch.rpm');
    const options = [
      '--root',
      tree,
      '--define',
      '_db_backend sqlite',
      '--define',
      '_dbpath /usr/lib/sysimage/rpm',
    ];
    execFileSync('rpm', [...options, '--nodeps', '-i', built], { stdio: 'ignore' });
    const all = await found(tree);
    expect(lines(all)).toEqual([
      'pkg:rpm/fedora/hello@1.2-3?arch=noarch&distro=fedora-40&epoch=4 usr/lib/sysimage/rpm/rpmdb.sqlite',
    ]);
    expect(all[0]!.license).toBe('MIT');
  });

  it('are found by a later name of a file, as pnpm and uv link them from their stores', async () => {
    const tree = treeOf('linked', { 'root/store/ab/cdef': '{"name":"left-pad","version":"1.3.0"}' });
    const project = join(tree, 'srv/node_modules/left-pad');
    mkdirSync(project, { recursive: true });
    linkSync(join(tree, 'root/store/ab/cdef'), join(project, 'package.json'));
    expect(lines(await found(tree))).toEqual([
      'pkg:npm/left-pad@1.3.0 srv/node_modules/left-pad/package.json',
    ]);
  });

  it('are named by what is no text, too', async () => {
    const tree = treeOf('surrogate', { 'node_modules/a/package.json': '{"name":"\\ud800","version":"1"}' });
    expect(lines(await found(tree))).toEqual(['pkg:npm/%EF%BF%BD@1 node_modules/a/package.json']);
  });

  it('are found among a great many, and behind a great many empty lines', async () => {
    const many = Array.from({ length: 200_000 }, (_, i) => `Package: p${i}\nVersion: 1\n`).join('\n');
    const tree = treeOf('many', { 'var/lib/dpkg/status': `\n${'\n'.repeat(8 << 20)}${many}` });
    expect(await found(tree)).toHaveLength(200_000);
  }, 60_000);

  it.each([
    [
      'view',
      'CREATE VIEW Packages AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS blob FROM c WHERE x < 0',
    ],
    [
      'column',
      'CREATE TABLE Packages(a, blob AS (zeroblob(300000000))); INSERT INTO Packages VALUES (1), (2)',
    ],
  ])('are none in a database of rpm whose packages are a computed %s', async (name, sql) => {
    const { default: initialise } = await import('sql.js');
    const { Database } = await initialise();
    const database = new Database();
    database.run(sql);
    const bytes = Buffer.from(database.export());
    database.close();
    expect(await found(treeOf(`computed-${name}`, { 'var/lib/rpm/rpmdb.sqlite': bytes }))).toEqual([]);
  });

  // A Go program that the checkout has anyway.
  const compiler = join(root, `node_modules/@typescript/typescript-linux-${process.arch}/lib/tsc`);
  const program = (): Buffer => readFileSync(compiler);

  it('are the modules of Go programs', async () => {
    const all = await found(treeOf('go', { 'usr/bin/tool': program(), 'usr/bin/script.sh': program() }));
    const names = all.map(({ namespace, name }) => `${namespace}/${name}`);
    expect(names).toEqual(expect.arrayContaining(['github.com/microsoft/typescript-go', 'golang.org/x/sys']));
    expect(new Set(all.map(({ type, path }) => `${type} ${path}`))).toEqual(new Set(['golang usr/bin/tool']));
  });

  it('are none in a Go program that ends too soon or lies about its segments', async () => {
    const whole = program();
    const at = whole.indexOf('\xff Go buildinf:', 0, 'latin1');
    const lying = Buffer.from(whole.subarray(0, 4096));
    lying.writeBigUInt64LE(0xffffffffffffffffn, 32);
    const endless = Buffer.from(whole.subarray(0, at + 40));
    endless.fill(0xff, at + 32);
    const cut = { cut: whole.subarray(0, at + 20), short: whole.subarray(0, 30), lying, endless };
    expect(await found(treeOf('cut', cut))).toEqual([]);
  });

  it('are searched for in a few megabytes of a program, however many segments it has', async () => {
    const [count, size] = [18_000, 8 << 20];
    const hostile = Buffer.alloc(64 + count * 56 + size);
    hostile.writeUInt32BE(0x7f454c46, 0);
    hostile.set([2, 1], 4);
    hostile.writeBigUInt64LE(64n, 32);
    hostile.writeUInt16LE(56, 54);
    hostile.writeUInt16LE(count, 56);
    for (let at = 64; at < 64 + count * 56; at += 56) {
      hostile.set([1, 0, 0, 0, 2], at);
      hostile.writeBigUInt64LE(BigInt(64 + count * 56), at + 8);
      hostile.writeBigUInt64LE(BigInt(size), at + 32);
    }
    expect(await found(treeOf('segments', { tool: hostile }))).toEqual([]);
  });
});
