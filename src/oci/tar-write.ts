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
  const stat = isMark ? { mode: 0, uid: 0, gid: 0, mtime: 0, size: 0 } : entry;
  const records = isMark ? marksRecords(name) : recordsOf(entry, name, link);
  const block = headerBlock({ ...stat, name, flag: flags[entry.type], link, device: entry.device });
  return records.length === 0 ? block : Buffer.concat([paxHeader(records), block]);
}

interface HeaderFields {
  readonly name: Buffer;
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly link: Buffer | undefined;
  readonly device: Entry['device'];
}

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
  const records = marksRecords(name);
  const add = (key: string, value: Buffer | string | number): void => {
    records.push(paxRecord(key, Buffer.isBuffer(value) ? value : Buffer.from(String(value))));
  };
  if (link !== undefined && link.length > fields.link[1]) add('linkpath', link);
  for (const key of ['size', 'uid', 'gid', 'mtime'] as const) {
    if (!fits(key, entry[key])) add(key, entry[key]);
  }
  for (const key of Object.keys(entry.xattrs ?? {}).sort())
    records.push(xattrRecord(key, entry.xattrs![key]!));
  return records;
}

function marksRecords(name: Buffer): Buffer[] {
  return name.length > fields.name[1] ? [paxRecord('path', name)] : [];
}

function paxHeader(records: readonly Buffer[]): Buffer {
  const body = Buffer.concat(records);
  const none = { uid: 0, gid: 0, mtime: 0, link: undefined, device: undefined };
  const name = Buffer.from('PaxHeaders/0');
  const block = headerBlock({ ...none, name, flag: 'x', mode: 0o644, size: body.length });
  return Buffer.concat([block, body, paddingOf(body.length)]);
}

function headerBlock(header: HeaderFields): Buffer {
  const block = Buffer.alloc(blockSize);
  header.name.copy(block, 0, 0, fields.name[1]);
  header.link?.copy(block, fields.link[0], 0, fields.link[1]);
  block.write('ustar\x0000', fields.magic[0], 'latin1');
  block.write(header.flag, fields.type[0], 'latin1');
  for (const key of ['mode', 'uid', 'gid', 'size', 'mtime'] as const) putNumber(block, key, header[key]);
  putNumber(block, 'major', header.device?.major ?? 0);
  putNumber(block, 'minor', header.device?.minor ?? 0);
  const sum = checksumOf(block, 0).toString(8).padStart(6, '0');
  block.write(`${sum}\0 `, fields.checksum[0], 'latin1');
  return block;
}

/** Octal digits and a NUL; 0 stands in for what only a PAX record can say. */
function putNumber(block: Buffer, field: Field, value: number): void {
  const [offset, length] = fields[field];
  const digits = (fits(field, value) ? value : 0).toString(8).padStart(length - 1, '0');
  block.write(digits, offset, 'latin1');
}

function fits(field: Field, value: number): boolean {
  return value >= 0 && value < 8 ** (fields[field][1] - 1);
}
