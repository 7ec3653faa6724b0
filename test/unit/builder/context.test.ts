import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { findIgnoreFile } from '../../../builder/context/ignore.ts';
import { openContext } from '../../../builder/context/local.ts';
import { readStdin } from '../../../builder/context/stdin.ts';
import { openArchive, unpack } from '../../../builder/context/unpacked.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { headerOf, paddingOf, trailer } from '../../../src/oci/tar-write.ts';
import { utimensat } from '../../../src/sys/file.ts';
import { entryOf, makeFiles } from './entry-lines.ts';
import { FakeStatCache } from './fake-layers.ts';

function folderOf(lines: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'context-'));
  makeFiles(folder, lines);
  return folder;
}

function contextOf(lines: readonly string[], ignoreText?: string) {
  const statCache = new FakeStatCache();
  const folder = folderOf(lines);
  const open = () => openContext(folder, { statCache, ...(ignoreText !== undefined && { ignoreText }) });
  return { folder, statCache, context: open(), open };
}

const pathsOf = (files: readonly { readonly entry: { readonly path: string } }[]) =>
  files.map(({ entry }) => entry.path);

describe('a local context', () => {
  it('lists entries as they would enter a layer, the root first, sorted', () => {
    const { context } = contextOf(['f 600 a/x = hello', 'f a-b = 1', 'l link -> a/x', 'd 700 e']);
    expect(pathsOf(context.list())).toEqual(['', 'a', 'a-b', 'a/x', 'e', 'link']);
    expect(context.get('a/x')!.entry).toEqual({
      path: 'a/x',
      type: 'file',
      mode: 0o600,
      uid: 0,
      gid: 0,
      size: 5,
      mtime: 1000,
    });
    expect(context.get('link')!.entry).toMatchObject({ type: 'symlink', link: 'a/x' });
    expect(context.get('e')!.entry).toMatchObject({ type: 'dir', mode: 0o700 });
    expect(context.get('nothing')).toBeUndefined();
    expect(context.get('a/x/y')).toBeUndefined();
  });

  it('walks only what is asked for', () => {
    const { context, statCache } = contextOf(['f a/x = 1', 'f b/y = 1', 'f b/z = 1']);
    expect(pathsOf(context.list('a'))).toEqual(['a', 'a/x']);
    expect(statCache.misses).toBe(1);
    expect(context.list('nothing')).toEqual([]);
    expect(pathsOf(context.children('b'))).toEqual(['b/y', 'b/z']);
  });

  it('floors times before 1970', () => {
    const { folder, open } = contextOf(['f a = 1']);
    utimensat(join(folder, 'a'), -2, 500_000_000);
    expect(open().get('a')!.entry.mtime).toBe(-2);
  });

  it('keeps names that are no text', () => {
    const { folder, open } = contextOf([]);
    const name = Buffer.from([0x61, 0xff]);
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), 'odd');
    const [, file] = open().list();
    expect(file!.entry).toMatchObject({ path: 'a\udcff', size: 3 });
    return open()
      .digests([file!])
      .then((digests) => expect(digests.get('a\udcff')).toBe(digestOf('odd')));
  });

  it('has a socket as an empty file and keeps fifos', async () => {
    const { folder, open } = contextOf(['f a = 1']);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const context = open();
    expect(pathsOf(context.list())).toEqual(['', 'a', 'pipe', 'socket']);
    const socket = context.get('socket')!;
    expect(socket.entry).toMatchObject({ type: 'file', size: 0 });
    expect((await context.digests([socket])).get('socket')).toBe(digestOf(''));
    await new Promise((resolve) => server.close(resolve));
  });

  it('does not enter ignored directories unless something in them may come back', () => {
    const { context, statCache } = contextOf(['f n/a = 1', 'f n/b = 1', 'f x = 1'], 'n\n');
    expect(pathsOf(context.list())).toEqual(['', 'x']);
    expect(statCache.misses).toBe(1);
    expect(context.isIgnored('n')).toBe(true);
    expect(context.isIgnored('n/a')).toBe(true);
    expect(context.isIgnored('x')).toBe(false);
    expect(context.isIgnored('nothing')).toBe(false);
    expect(context.get('n/a')).toBeUndefined();
  });

  it('says "ignored" of nothing that is outside, nor without an ignore file', () => {
    const { folder, open } = contextOf(['f a = 1'], 'sub\n');
    symlinkSync('/etc', join(folder, 'sub-link'));
    expect(open().isIgnored('sub-link/passwd')).toBe(false);
    symlinkSync('/etc', join(folder, 'sub'));
    expect(open().isIgnored('sub')).toBe(true);
    expect(contextOf(['f a = 1']).context.isIgnored('nothing')).toBe(false);
  });

  it('names what it cannot look at', () => {
    const { folder, open } = contextOf(['f a = 1']);
    const deep = "import os; n = 'n' * 200; [(os.mkdir(n), os.chdir(n)) for _ in range(22)]";
    execFileSync('python3', ['-c', deep], { cwd: folder });
    expect(() => open().list()).toThrow(/^cannot look at "n+…n+" of the build context \(ENAMETOOLONG\)$/);
    execFileSync('rm', ['-rf', join(folder, 'n'.repeat(200))]);
  });

  it('does not follow links out of itself', () => {
    const { folder, open } = contextOf(['f a = 1']);
    const outside = folderOf(['f secret = 1']);
    symlinkSync(outside, join(folder, 'out'));
    expect(pathsOf(open().list())).toEqual(['', 'a', 'out']);
    expect(open().get('out/secret')).toBeUndefined();
  });

  it('reads a file once as long as its state stays', async () => {
    const { folder, open, statCache } = contextOf(['f a = one', 'f b = two']);
    const first = open();
    expect((await first.digests(first.list())).get('a')).toBe(digestOf('one'));
    const second = open();
    expect(second.recall(second.get('a')!)).toBe(digestOf('one'));
    writeFileSync(join(folder, 'a'), 'six');
    const third = open();
    expect(third.recall(third.get('a')!)).toBeUndefined();
    expect(third.recall(third.get('b')!)).toBe(digestOf('two'));
    expect((await third.digests(third.list())).get('a')).toBe(digestOf('six'));
    expect(statCache.known.size).toBe(2);
  });

  it('never remembers a file with attributes, so that it sees them again', async () => {
    const { open, statCache } = contextOf(['f a = one {user.note=hello}', 'f b = two']);
    for (const context of [open(), open()]) {
      await context.digests(context.list());
      expect(context.get('a')!.entry.xattrs).toEqual({ 'user.note': 'hello' });
      expect([...statCache.known.keys()]).toEqual(['b']);
    }
  });

  it('forgets what it saw when told to', () => {
    const { folder, context } = contextOf(['f a = one']);
    expect(context.list()).toHaveLength(2);
    writeFileSync(join(folder, 'b'), '');
    expect(context.list()).toHaveLength(2);
    context.forget();
    expect(context.list()).toHaveLength(3);
  });

  it('says which file it cannot read', async () => {
    const { folder, context } = contextOf(['f a = one']);
    const files = context.list();
    rmSync(join(folder, 'a'));
    symlinkSync('/etc/passwd', join(folder, 'a'));
    await expect(context.digests(files)).rejects.toMatchObject({
      code: 'context',
      message: 'cannot read "a" of the build context',
    });
  });

  it.skipIf(!existsSync(new URL('../../../dist/hash-worker.js', import.meta.url)))(
    'hashes many bytes in a worker thread to the same digests',
    async () => {
      const { folder, open } = contextOf(['f small = 1']);
      const big = Buffer.alloc(33 << 20, 'x');
      writeFileSync(join(folder, 'big'), big);
      const context = open();
      const digests = await context.digests(context.list());
      expect(digests.get('big')).toBe(digestOf(big));
      expect(digests.get('small')).toBe(digestOf('1'));
    },
  );
});

describe('the ignore file', () => {
  it('is the nearest of those that apply', () => {
    const folder = folderOf([]);
    const containerfile = join(folder, 'sub', 'Containerfile');
    mkdirSync(join(folder, 'sub'));
    const find = () => findIgnoreFile({ folder, containerfile })?.text;
    expect(find()).toBeUndefined();
    for (const name of ['.dockerignore', '.containerignore', 'sub/Containerfile.dockerignore']) {
      writeFileSync(join(folder, name), name);
      expect(find()).toBe(name);
    }
    writeFileSync(join(folder, 'mine'), 'mine');
    expect(findIgnoreFile({ folder, containerfile, override: join(folder, 'mine') })?.text).toBe('mine');
    expect(() => findIgnoreFile({ folder, override: join(folder, 'none') })).toThrow('does not exist');
  });

  it('does not lead out of the context', () => {
    const folder = folderOf([]);
    writeFileSync(join(folder, 'a'), 'x');
    const secret = join(folderOf([]), 'secret');
    writeFileSync(secret, '[');
    symlinkSync(secret, join(folder, '.dockerignore'));
    expect(() => findIgnoreFile({ folder })).toThrow('leads out of the context');
    rmSync(join(folder, '.dockerignore'));
    symlinkSync('a', join(folder, '.dockerignore'));
    expect(findIgnoreFile({ folder })?.path).toBe(join(folder, '.dockerignore'));
  });
});

function tarOf(lines: readonly string[]): Buffer {
  const parts = lines.map(entryOf).flatMap((entry) => {
    const content = entry.content ?? Buffer.alloc(0);
    return [headerOf(entry), content, paddingOf(content.length)];
  });
  return Buffer.concat([...parts, trailer]);
}

async function* chunked(bytes: Buffer, size = 100): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('stdin', () => {
  const scratch = () => mkdtempSync(join(tmpdir(), 'stdin-'));
  const tar = tarOf([
    'f 600 4:5 d/a = hello',
    'h b => d/a',
    'l out -> ../../etc/passwd',
    'f .dockerignore = *',
  ]);

  it.each([
    ['plain', tar],
    ['gzip', gzipSync(tar)],
  ])('is a context when it is a tar: %s', async (_, bytes) => {
    const { context, containerfile } = await readStdin(chunked(bytes), scratch());
    expect(containerfile).toBeUndefined();
    expect(pathsOf(context.list())).toEqual(['', '.dockerignore', 'b', 'd', 'd/a', 'out']);
    expect(pathsOf(context.list('d'))).toEqual(['d', 'd/a']);
    const file = context.get('d/a')!;
    expect(file.entry).toMatchObject({ uid: 0, gid: 0, mode: 0o600, size: 5 });
    expect(readFileSync(file.absolute, 'utf8')).toBe('hello');
    expect(context.get('b')!.sameFile).toBe(file.sameFile);
    expect(context.recall(file)).toBeUndefined();
    expect((await context.digests([file])).get('d/a')).toBe(digestOf('hello'));
    expect(context.recall(file)).toBe(digestOf('hello'));
  });

  it('is a Containerfile otherwise, with nothing to copy', async () => {
    const text = `FROM scratch\n# ${'a comment longer than the header of a tar, '.repeat(20)}\n`;
    const { context, containerfile } = await readStdin(chunked(Buffer.from(text)), scratch());
    expect(containerfile).toBe(text);
    expect(pathsOf(context.list())).toEqual(['']);
  });

  it('must not be empty', async () => {
    await expect(readStdin(chunked(Buffer.alloc(0)), scratch())).rejects.toThrow('nothing came on stdin');
  });
});

describe('archives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'archives-'));
  writeFileSync(join(folder, 'a.tar'), tarOf(['f a = hello']));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['gzip', 'bzip2', 'xz', 'zstd'])('are read when compressed with %s', async (program) => {
    const found = execFileSync('sh', ['-c', `command -v ${program} || true`], { encoding: 'utf8' }).trim();
    if (found === '') return void console.warn(`skipped: no ${program} here`);
    const path = join(folder, `a.${program}`);
    writeFileSync(path, execFileSync(program, ['-c', join(folder, 'a.tar')]));
    const files = await unpack((await openArchive(path))!, join(folder, program));
    expect(pathsOf(files)).toEqual(['a']);
    expect(readFileSync(files[0]!.absolute, 'utf8')).toBe('hello');
  });

  it.each([
    ['text', Buffer.from('FROM scratch')],
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(2048)],
    ['gzip of text', gzipSync('hello')],
    ['broken gzip', Buffer.from('1f8b0800', 'hex')],
    ['broken xz', Buffer.from('\xfd7zXZ\0 not', 'latin1')],
  ])('are not: %s', async (name, bytes) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    expect(await openArchive(path)).toBeUndefined();
  });

  it('fail when they are cut short', async () => {
    const path = join(folder, 'cut');
    writeFileSync(path, tarOf(['f a = hello']).subarray(0, 514));
    await expect(
      openArchive(path).then((archive) => unpack(archive!, join(folder, 'c'))),
    ).rejects.toMatchObject({
      name: 'BuildError',
    });
  });

  it('fail when a hard link names nothing', async () => {
    const path = join(folder, 'link');
    writeFileSync(path, tarOf(['h b => etc/passwd']));
    await expect(openArchive(path).then((archive) => unpack(archive!, join(folder, 'l')))).rejects.toThrow(
      'which it does not hold',
    );
  });
});
