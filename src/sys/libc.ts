import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { bytesOf } from '../core/bytes.ts';
import { BuildError } from '../core/errors.ts';

/** A function of the C library; pointers are Buffers, integers numbers. */
type CFunction = (...args: readonly unknown[]) => number;

interface Koffi {
  load(path: null): { func(name: string, result: string, args: readonly string[]): CFunction };
  errno(): number;
  view(address: number, bytes: number): ArrayBuffer;
}

/** What a system call failed with; `code` is the errno's name (`ENOENT`), as in node:fs. */
export interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
}

let loaded: { readonly koffi: Koffi; readonly libc: ReturnType<Koffi['load']> } | undefined;

/**
 * Declares a function of the C library; koffi is loaded at the first call, not before. The result is the
 * function's own, -1 included: hand it to `check`.
 */
export function declare(name: string, result: string, args: readonly string[]): CFunction {
  let call: CFunction | undefined;
  return (...given) => {
    call ??= library().libc.func(name, result, args);
    return call(...given);
  };
}

/** Throws the current errno as an error when `result` is negative; call it directly after the system call. */
export function check(result: number, syscall: string, path?: string | Buffer): number {
  if (result >= 0) return result;
  throw systemError(library().koffi.errno(), syscall, path);
}

/** The name of the last system call's error; only right directly after it. */
export function lastError(): string {
  return getSystemErrorName(-library().koffi.errno());
}

/** The result as the kernel itself answers, a negative errno for a failure; call it directly after the system call. */
export function answer(result: number): number {
  return result === -1 ? -library().koffi.errno() : result;
}

/** Memory of this process, seen where it lies. */
export function memoryAt(address: number, bytes: number): Buffer {
  return Buffer.from(library().koffi.view(address, bytes));
}

/** A string as C wants it; names as of core/bytes.ts keep their odd bytes. */
export function cString(text: string | Buffer): Buffer {
  const bytes = typeof text === 'string' ? bytesOf(text) : text;
  if (bytes.includes(0)) throw systemError(constants.errno.EINVAL, 'cString', bytes);
  const out = Buffer.alloc(bytes.length + 1);
  bytes.copy(out);
  return out;
}

/**
 * The path of koffi's binary for this machine, or undefined where only koffi's own search can find it. It is
 * loaded by `process.dlopen` (1 to 2 ms instead of 5 for the whole module).
 */
export function koffiFile(): string | undefined {
  const name = `@koromix/koffi-linux-${process.arch}`;
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const base = join(folder, 'node_modules', name);
    if (existsSync(base))
      return libcNames()
        .map((libc) => join(base, libc, 'koffi.node'))
        .find(existsSync);
    if (folder === dirname(folder)) return undefined;
  }
}

function libcNames(): readonly string[] {
  const musl = existsSync(`/lib/ld-musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`);
  const glibc = existsSync('/lib64/ld-linux-x86-64.so.2') || existsSync('/lib/ld-linux-aarch64.so.1');
  const names = [`linux_${process.arch}`, `musl_${process.arch}`];
  return musl && !glibc ? names.reverse() : names;
}

function library(): NonNullable<typeof loaded> {
  if (loaded === undefined) {
    const koffi = loadKoffi();
    loaded = { koffi, libc: koffi.load(null) };
  }
  return loaded;
}

function loadKoffi(): Koffi {
  const file = koffiFile();
  if (file !== undefined) {
    try {
      const module = { exports: {} };
      process.dlopen(module, file);
      return module.exports as Koffi;
    } catch {
      // The other C library's build, or a layout of a later koffi: its own search decides.
    }
  }
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    const machine = `${process.platform}-${process.arch}`;
    throw new BuildError('not-found', `the binary of the package koffi for ${machine} is not installed`, {
      cause,
      hint: 'It is an optional package of koffi: install tsbuild again without --omit=optional.',
    });
  }
}

function systemError(errno: number, syscall: string, path?: string | Buffer): SystemError {
  const code = getSystemErrorName(-errno);
  const shown = path === undefined ? undefined : path.toString();
  const error = new Error(`${code}: ${syscall}${shown === undefined ? '' : ` '${shown}'`}`);
  return Object.assign(error, { code, errno: -errno, syscall, ...(shown !== undefined && { path: shown }) });
}
