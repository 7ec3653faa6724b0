import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
const kept = join(folder, `${process.version}-${sha256(source).toString('hex').slice(0, 32)}`);
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
  try {
    const { uid, mode } = statSync(path);
    if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined;
    const bytes = readFileSync(path);
    const data = bytes.subarray(32);
    return sha256(data).equals(bytes.subarray(0, 32)) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Puts it in place whole, and takes away that of other versions. A store that cannot be written goes without. */
function keep(data: Buffer): void {
  const temporary = `${kept}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, Buffer.concat([sha256(data), data]), { mode: 0o600 });
    for (const name of readdirSync(folder)) if (!temporary.endsWith(name)) rmSync(join(folder, name));
    renameSync(temporary, kept);
  } catch {
    rmSync(temporary, { force: true });
  }
}

function sha256(bytes: string | Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
