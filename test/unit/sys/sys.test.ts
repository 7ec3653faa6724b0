import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { arena } from '../../../src/sys/arena.ts';
import { close, O_PATH, openat2, RESOLVE_IN_ROOT } from '../../../src/sys/descriptor.ts';
import { flock, majorMinor, makedev, mknod, utimensat } from '../../../src/sys/file.ts';
import { koffiFile } from '../../../src/sys/libc.ts';
import { lgetxattr, llistxattr, lremovexattr, lsetxattr } from '../../../src/sys/xattr.ts';

const folder = mkdtempSync(join(tmpdir(), 'sys-'));
afterAll(() => rmSync(folder, { recursive: true }));
const root = process.getuid?.() === 0;

describe('xattr', () => {
  it('keeps bytes as they are', () => {
    const file = join(folder, 'binary');
    writeFileSync(file, '');
    const value = Buffer.from([0, 255, 128, 10, 0]);
    lsetxattr(file, 'user.odd', value);
    lsetxattr(file, 'user.empty', Buffer.alloc(0));
    expect(llistxattr(file).sort()).toEqual(['user.empty', 'user.odd']);
    expect(lgetxattr(file, 'user.odd')).toEqual(value);
    expect(lgetxattr(file, 'user.empty')).toHaveLength(0);
    lremovexattr(file, 'user.odd');
    expect(() => lgetxattr(file, 'user.odd')).toThrow(
      expect.objectContaining({ code: 'ENODATA', syscall: 'lgetxattr', path: file }),
    );
  });

  it('takes paths that are not text, and follows no link', () => {
    const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff])]);
    writeFileSync(odd, '');
    lsetxattr(odd, 'user.a', Buffer.from('b'));
    expect(llistxattr(odd)).toEqual(['user.a']);
    symlinkSync(odd, join(folder, 'to-odd'));
    expect(llistxattr(join(folder, 'to-odd'))).toEqual([]);
    expect(() => llistxattr(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('refuses a path with a zero byte', () => {
    expect(() => llistxattr(`${folder}\0/etc`)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});

describe('file', () => {
  it('locks between openings', () => {
    const path = join(folder, 'lock');
    const [a, b] = [openSync(path, 'w'), openSync(path, 'r')];
    expect(flock(a, 'shared', true)).toBe(true);
    expect(flock(b, 'exclusive', true)).toBe(false);
    expect(flock(b, 'shared', true)).toBe(true);
    flock(b, 'unlock');
    expect(flock(a, 'exclusive', true)).toBe(true);
    closeSync(a);
    expect(flock(b, 'exclusive', true)).toBe(true);
    closeSync(b);
  });

  it('sets times to the nanosecond, before 1970 too, of the link itself', () => {
    const link = join(folder, 'dangling');
    symlinkSync('nowhere', link);
    for (const [seconds, nanoseconds] of [
      [1_700_000_000, 123_456_789],
      [-5, 999_999_999],
      [0, 0],
    ] as const) {
      utimensat(link, seconds, nanoseconds);
      expect(lstatSync(link, { bigint: true }).mtimeNs).toBe(
        BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
      );
    }
  });

  it('packs device numbers', () => {
    expect(makedev(1, 3)).toBe(0x103n);
    for (const device of [
      { major: 0, minor: 0 },
      { major: 8, minor: 1_048_575 },
      { major: 4095, minor: 255 },
    ])
      expect(majorMinor(Number(makedev(device.major, device.minor)))).toEqual(device);
  });

  it('makes fifos and devices', () => {
    mknod(join(folder, 'fifo'), 'fifo', { mode: 0o600 });
    expect(lstatSync(join(folder, 'fifo')).isFIFO()).toBe(true);
    mknod(join(folder, 'whiteout'), 'char', { mode: 0, device: { major: 0, minor: 0 } });
    expect(lstatSync(join(folder, 'whiteout')).rdev).toBe(0);
    expect(() => mknod(join(folder, 'fifo'), 'fifo', { mode: 0o600 })).toThrow(
      expect.objectContaining({ code: 'EEXIST' }),
    );
    if (!root) return console.warn('skipped: devices need root');
    mknod(join(folder, 'device'), 'block', { mode: 0o600, device: { major: 259, minor: 300 } });
    expect(majorMinor(lstatSync(join(folder, 'device')).rdev)).toEqual({ major: 259, minor: 300 });
  });
});

describe('process', () => {
  it('execs in place with its standard streams', () => {
    const module = new URL('../../../src/sys/process.ts', import.meta.url).pathname;
    const bundle = join(folder, 'exec.mjs');
    const esbuild = new URL('../../../node_modules/.bin/esbuild', import.meta.url).pathname;
    const built = spawnSync(esbuild, [
      module,
      '--bundle',
      '--platform=node',
      '--format=esm',
      `--outfile=${bundle}`,
    ]);
    expect(built.status).toBe(0);
    const script = `const { execve } = await import(${JSON.stringify(bundle)});
      process.stderr.write(String(process.pid));
      execve('/bin/sh', ['sh', '-c', 'echo $$ $X; exit 7'], ['X=y']);`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, NODE_PATH: new URL('../../../node_modules', import.meta.url).pathname },
    });
    expect(ran.stdout).toBe(`${ran.stderr} y\n`);
    expect(ran.status).toBe(7);
  });

  it('finds the binary of koffi', () => {
    expect(koffiFile()).toMatch(/koffi\.node$/);
  });
});

describe('openat2', () => {
  it('finds what is behind `..`, whatever is renamed on the machine meanwhile', async () => {
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    writeFileSync(join(folder, 'file'), '');
    const renaming = spawn('python3', ['-c', renamer], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(renaming, 'exit');
    await once(renaming.stdout!, 'data');
    try {
      const { bytes, address } = arena(512);
      bytes.writeBigUInt64LE(BigInt(O_PATH), 0);
      bytes.writeBigUInt64LE(0n, 8);
      bytes.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT), 16);
      bytes.write(`${'a/b/../../'.repeat(20)}file\0`, 24);
      const start = openSync(folder, 'r');
      const failures = Array.from({ length: 20_000 }, () => {
        const fd = openat2(start, address + 24, address);
        if (fd >= 0) close(fd);
        return fd;
      }).filter((fd) => fd < 0);
      closeSync(start);
      expect(failures).toEqual([]);
    } finally {
      renaming.kill();
      await gone;
    }
  });
});

const renamer = `
import os
os.mkdir('one')
print('begun', flush=True)
while True:
    os.rename('one', 'two'); os.rename('two', 'one')
`;
