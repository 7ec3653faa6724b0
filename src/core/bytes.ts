/**
 * File names are bytes, not text. Inside tsbuild a name is a string in which every byte that is not part of
 * valid UTF-8 stands as a lone surrogate U+DC80..U+DCFF (as Python's surrogateescape does), so that ordinary
 * names stay ordinary strings and odd ones survive unchanged, in JSON too.
 */
export function nameOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('�') || Buffer.from(text, 'utf8').equals(bytes)) return text;
  return escapeInvalid(bytes);
}

/** What to hand to node:fs for a name or path: the string itself, or its bytes where it holds odd ones. */
export function pathOf(name: string): string | Buffer {
  return name.isWellFormed() ? name : bytesOf(name);
}

/** The bytes of a name. */
export function bytesOf(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name, 'utf8');
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.codePointAt(0)!;
    const escaped = code >= 0xdc80 && code <= 0xdcff;
    parts.push(escaped ? Buffer.from([code - 0xdc00]) : Buffer.from(character, 'utf8'));
  }
  return Buffer.concat(parts);
}

function escapeInvalid(bytes: Buffer): string {
  let out = '';
  let i = 0;
  while (i < bytes.length) {
    const length = sequenceLength(bytes, i);
    if (length === 0) out += String.fromCharCode(0xdc00 + bytes[i]!);
    else out += bytes.toString('utf8', i, i + length);
    i += length || 1;
  }
  return out;
}

/** The length of the valid UTF-8 sequence that starts at `at`, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length =
    first < 0x80
      ? 1
      : first >= 0xc2 && first < 0xe0
        ? 2
        : first >= 0xe0 && first < 0xf0
          ? 3
          : first >= 0xf0 && first < 0xf5
            ? 4
            : 0;
  if (length < 2) return length;
  const slice = bytes.subarray(at, at + length);
  return slice.length === length && Buffer.from(slice.toString('utf8'), 'utf8').equals(slice) ? length : 0;
}
