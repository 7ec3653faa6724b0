import { BuildError } from '../core/errors.ts';

/** A tar is a row of blocks of this many bytes (POSIX pax, "ustar Interchange Format"). */
export const blockSize = 512;

/** Offset and length in bytes of each field of a header block. */
export const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
} as const;

export type Field = keyof typeof fields;

/** The failure of a tar that cannot be read or made: what is wrong, in words that follow "the archive". */
export function tarError(what: string, hint?: string): BuildError {
  return new BuildError('layer', `the archive ${what}`, hint === undefined ? {} : { hint });
}

/** Bytes of padding between content of `size` bytes and the next block. */
export function paddingLength(size: number): number {
  const over = size % blockSize;
  return over === 0 ? 0 : blockSize - over;
}

/** A text field of the header that starts at `at`: its bytes up to the first NUL. */
export function textField(block: Buffer, at: number, field: Field): Buffer {
  const [offset, length] = fields[field];
  const start = at + offset;
  const limit = start + length;
  let end = start;
  while (end < limit && block[end] !== 0) end++;
  return block.subarray(start, end);
}

/** A number field, octal or base-256 (GNU); throws `layer` for anything else. */
export function numberField(block: Buffer, at: number, field: Field): number {
  const [offset, length] = fields[field];
  return numberAt(block, at + offset, length);
}

/** The number in `length` bytes at `start`, octal or base-256. */
export function numberAt(block: Buffer, start: number, length: number): number {
  if ((block[start]! & 0x80) !== 0) return base256At(block, start, length);
  const value = octalAt(block, start, length);
  if (value === undefined) throw tarError('has a header with a malformed number');
  return value;
}

/** Undefined for what is no octal number between blanks. */
function octalAt(block: Buffer, start: number, length: number): number | undefined {
  let value = 0;
  let at = start;
  const limit = start + length;
  while (at < limit && (block[at] === 0x20 || block[at] === 0)) at++;
  for (; at < limit; at++) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  return at < limit && block[at] !== 0x20 && block[at] !== 0 ? undefined : value;
}

/** The sum over a header's bytes that its checksum field holds; the field itself counts as blanks. */
export function checksumOf(block: Buffer, at: number): number {
  let sum = 8 * 0x20;
  for (let i = at; i < at + 148; i++) sum += block[i]!;
  for (let i = at + 156; i < at + blockSize; i++) sum += block[i]!;
  return sum;
}

/**
 * True when the checksum is right, counted over unsigned bytes or, as some old programs did, over signed ones: what is
 * no header at all, such as a text, has none.
 */
export function isIntact(block: Buffer, at: number): boolean {
  const [offset] = fields.checksum;
  const stored = octalAt(block, at + offset, 8);
  if (stored === undefined) return false;
  const sum = checksumOf(block, at);
  if (stored === sum) return true;
  let high = 0;
  for (let i = 0; i < blockSize; i++) {
    if ((i < offset || i >= offset + 8) && block[at + i]! > 0x7f) high++;
  }
  return stored === sum - 256 * high;
}

export function isZeroBlock(block: Buffer, at: number): boolean {
  for (let i = at; i < at + blockSize; i++) if (block[i] !== 0) return false;
  return true;
}

function base256At(block: Buffer, start: number, length: number): number {
  const negative = (block[start]! & 0x40) !== 0;
  const flip = negative ? 0xff : 0;
  let value = (block[start]! ^ flip) & 0x3f;
  for (let i = 1; i < length; i++) value = value * 256 + (block[start + i]! ^ flip);
  if (!Number.isSafeInteger(value)) throw tarError('has a header with a number that is too large');
  return negative ? -value - 1 : value;
}
