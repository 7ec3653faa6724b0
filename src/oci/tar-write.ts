import { bytesOf } from '../core/bytes.ts';
import type { Entry, EntryType } from '../core/types.ts';
import { blockSize, checksumOf, type Field, fields, paddingLength, tarError } from './tar-header.ts';
import { isReserved, shown, whiteoutOf } from './tar-path.ts';
import { paxRecord, xattrRecord } from './tar-pax.ts';

/** The two zero blocks that end a tar. */
export const trailer: Buffer = Buffer.alloc(2 * blockSize);

const padding = Buffer.alloc(blockSize);
const flags: Record<EntryType, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
  whiteout: '0',
  opaque: '0',
};

/** What goes after a file's content of `size` bytes. */
export function paddingOf(size: number): Buffer {
  return padding.subarray(0, paddingLength(size));
}

/**
 * The header of an entry: ustar, before it a PAX header where ustar cannot say it. The same entry always gives the
 * same bytes. Times are whole seconds; whiteouts and opaque marks are empty files without owner, mode and time,
 * whatever the entry says. Throws `layer` for a name that cannot be part of an image.
 */
export function headerOf(entry: Entry): Buffer {
  const name = bytesOf(writtenName(entry));
  const link = entry.link === undefined ? undefined : bytesOf(entry.link);
  const isMark = entry.type === 'whiteout' || entry.type === 'opaque';
  const block = headerBlock(isMark ? markStat : entry, name, flags[entry.type]);
  link?.copy(block, fields.link[0], 0, fields.link[1]);
  if (entry.device !== undefined) {
    putNumber(block, 'major', entry.device.major);
    putNumber(block, 'minor', entry.device.minor);
  }
  seal(block);
  const records = isMark ? pathRecord(name) : recordsOf(entry, name, link);
  return records.length === 0 ? block : Buffer.concat([paxHeader(records), block]);
}

type Stat = Pick<Entry, 'mode' | 'uid' | 'gid' | 'size' | 'mtime'>;

const markStat: Stat = { mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };

function writtenName(entry: Entry): string {
  const { path, type } = entry;
  if (path.includes('\0') || entry.link?.includes('\0')) {
    throw tarError(`cannot hold the name ${shown(path)}`);
  }
  if (isReserved(path)) {
    throw tarError(
      `cannot hold ${shown(path)}: in an image, names that begin with ".wh." mark deleted files`,
      'Rename the file, or remove it in the step that makes it.',
    );
  }
  if (type === 'whiteout' || type === 'opaque') return whiteoutOf(path, type);
  if (type === 'dir') return path === '' ? './' : `${path}/`;
  if (path === '') throw tarError('cannot hold a file without a name');
  return path;
}

/** A fixed order, so that equal entries give equal bytes: names, numbers, then attributes by name. */
function recordsOf(entry: Entry, name: Buffer, link: Buffer | undefined): Buffer[] {
  const records = pathRecord(name);
  if (link !== undefined && link.length > fields.link[1]) records.push(paxRecord('linkpath', link));
  for (const key of numbers) {
    if (!fits(key, entry[key])) records.push(paxRecord(key, Buffer.from(String(entry[key]))));
  }
  if (entry.xattrs === undefined) return records;
  for (const key of Object.keys(entry.xattrs).sort()) records.push(xattrRecord(key, entry.xattrs[key]!));
  return records;
}

const numbers = ['size', 'uid', 'gid', 'mtime'] as const;

function pathRecord(name: Buffer): Buffer[] {
  return name.length > fields.name[1] ? [paxRecord('path', name)] : [];
}

function paxHeader(records: readonly Buffer[]): Buffer {
  const body = Buffer.concat(records);
  const block = headerBlock({ ...markStat, mode: 0o644, size: body.length }, paxName, 'x');
  seal(block);
  return Buffer.concat([block, body, paddingOf(body.length)]);
}

/** A header but for link, device and checksum. */
function headerBlock(stat: Stat, name: Buffer, flag: string): Buffer {
  const block = Buffer.from(template);
  name.copy(block, 0, 0, fields.name[1]);
  block[fields.type[0]] = flag.charCodeAt(0);
  putNumber(block, 'mode', stat.mode);
  putNumber(block, 'uid', stat.uid);
  putNumber(block, 'gid', stat.gid);
  putNumber(block, 'size', stat.size);
  putNumber(block, 'mtime', stat.mtime);
  return block;
}

function emptyHeader(): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write('ustar\x0000', fields.magic[0], 'latin1');
  putNumber(block, 'major', 0);
  putNumber(block, 'minor', 0);
  return block;
}

/** Octal digits and a NUL; 0 stands in for what only a PAX record can say. */
function putNumber(block: Buffer, field: Field, value: number): void {
  const [offset, length] = fields[field];
  putOctal(block, offset, length - 1, fits(field, value) ? value : 0);
}

function putOctal(block: Buffer, offset: number, digits: number, value: number): void {
  let rest = value;
  for (let at = offset + digits - 1; at >= offset; at--) {
    const higher = Math.floor(rest / 8);
    block[at] = 0x30 + (rest - higher * 8);
    rest = higher;
  }
}

/** Puts the checksum in: six digits, a NUL, a blank. */
function seal(block: Buffer): void {
  const [offset] = fields.checksum;
  putOctal(block, offset, 6, checksumOf(block, 0));
  block[offset + 6] = 0;
  block[offset + 7] = 0x20;
}

function fits(field: Field, value: number): boolean {
  return value >= 0 && value <= largest[field];
}

/** What the octal digits of each field can say. */
const largest = Object.fromEntries(
  Object.entries(fields).map(([field, [, length]]) => [field, 2 ** (3 * (length - 1)) - 1]),
) as Record<Field, number>;

const template = emptyHeader();
const paxName = Buffer.from('PaxHeaders/0');
