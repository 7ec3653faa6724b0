import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { storeRoot } from './cli/root.ts';
import type { Run } from './cli.ts';

/**
 * The command's first file: compiles the rest, `main.js` beside it, with what the compiler made of it in an earlier run
 * (27 of 52 ms of a cached build). That is kept in the store, once there is one: whoever could write another folder
 * could hand us foreign code.
 */
const file = fileURLToPath(new URL('./main.js', import.meta.url));
const source = readFileSync(file, 'latin1');
const folder = join(rootOf(process.argv.slice(2)), 'code/v1');
// The digest of all that follows stands in front: hashing as much at each start would cost two milliseconds.
const kept = join(folder, `${process.version}-${source.slice(2, 34)}`);
const cachedData = readKept(kept);
const script = new Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
  filename: file,
  ...(cachedData && { cachedData }),
});
const main: { exports: { run?: Run } } = { exports: {} };
script.runInThisContext()(main.exports, createRequire(file), main, file, dirname(file));
main.exports.run!(() => {
  if (cachedData === undefined || script.cachedDataRejected) keep(script.createCachedData());
});

/** The store, as far as it can be told before the words are parsed: a wrong guess costs time only. */
function rootOf(words: readonly string[]): string {
  const at = words.lastIndexOf('--root');
  const root = at < 0 ? words.findLast((word) => word.startsWith('--root='))?.slice(7) : words[at + 1];
  const home = process.env.TSBUILD_HOME || process.env.HOME || '/';
  return storeRoot({ ...(root && { root }) }, { env: process.env, cwd: process.cwd(), place: { home } });
}

/** What was kept, where nobody else may have written it and it is whole. */
function readKept(path: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const state = fstatSync(fd, { bigint: true });
    if (Number(state.uid) !== process.geteuid?.() || (state.mode & 0o022n) !== 0n) return undefined;
    const bytes = readFileSync(fd);
    const data = bytes.subarray(32);
    return sealOf(data, state).equals(bytes.subarray(0, 32)) ? data : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Binds the code to this very file: a folder named by `--root` may have come with a checkout, and whoever wrote that
 * can make a file of ours with any content, but not know its number and the time it was made.
 */
function sealOf(data: Buffer, { ino, birthtimeNs }: BigIntStats): Buffer {
  return createHash('sha256').update(`${ino} ${birthtimeNs}\n`).update(data).digest();
}

/** Puts it in place whole, and takes away that of other versions. A store that cannot be written goes without. */
function keep(data: Buffer): void {
  const temporary = `${kept}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(fd, Buffer.concat([sealOf(data, fstatSync(fd, { bigint: true })), data]));
    } finally {
      closeSync(fd);
    }
    for (const name of readdirSync(folder)) if (!temporary.endsWith(name)) rmSync(join(folder, name));
    renameSync(temporary, kept);
  } catch {
    rmSync(temporary, { force: true });
  }
}
