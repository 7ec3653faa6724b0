import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A handler of binfmt_misc: the kernel starts files that look like `magic` through the interpreter. */
export interface Handler {
  readonly name: string;
  readonly enabled: boolean;
  /** Absolute path. */
  readonly interpreter: string;
  /** `F`: the interpreter was opened when it was registered, so that it need not be in an image. */
  readonly flags: string;
  readonly offset: number;
  readonly magic: Buffer;
  /** As long as `magic`. */
  readonly mask: Buffer;
}

const FOLDER = '/proc/sys/fs/binfmt_misc';

/** The handlers that can be seen here; none where the file system is not mounted. */
export function handlers(folder = FOLDER): Handler[] {
  return names(folder).flatMap((name) => parseHandler(name, read(join(folder, name))) ?? []);
}

/** The handler that the kernel would take for a file, one that is switched off included where there is no other. */
export function handlerFor(file: Buffer, all: readonly Handler[]): Handler | undefined {
  const fitting = all.filter((handler) => fits(file, handler));
  return fitting.find(({ enabled }) => enabled) ?? fitting[0];
}

/** A handler's file as the kernel writes it (binfmt-misc.rst); undefined for one that goes by a file's name. */
export function parseHandler(name: string, text: string): Handler | undefined {
  const lines = text.split('\n');
  const field = (word: string): string | undefined =>
    lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1);
  const magic = Buffer.from(field('magic') ?? '', 'hex');
  const interpreter = field('interpreter');
  if (magic.length === 0 || interpreter === undefined) return undefined;
  const mask = Buffer.from(field('mask') ?? '', 'hex');
  return {
    name,
    enabled: lines[0] === 'enabled',
    interpreter,
    flags: field('flags:') ?? '',
    offset: Number(field('offset') ?? 0),
    magic,
    mask: mask.length === magic.length ? mask : Buffer.alloc(magic.length, 0xff),
  };
}

function fits(file: Buffer, { offset, magic, mask }: Handler): boolean {
  const there = file.subarray(offset, offset + magic.length);
  if (there.length < magic.length) return false;
  return there.every((byte, i) => (byte & mask[i]!) === (magic[i]! & mask[i]!));
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name !== 'register' && name !== 'status');
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It was unregistered meanwhile.
    return '';
  }
}
