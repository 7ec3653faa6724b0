import { bytesOf, nameOf } from '../core/bytes.ts';
import { isMark } from '../core/marks.ts';
import { tarError } from './tar-header.ts';

/**
 * Records of a PAX extended header (POSIX pax, "pax Extended Header"): keyword → bytes. An empty value takes back
 * what a global header said. The repeated pairs of GNU sparse format 0.0 are joined under `GNU.sparse.map`, as
 * format 0.1 writes them.
 */
export type PaxRecords = Map<string, Buffer>;

const xattrPrefix = 'SCHILY.xattr.';
const libarchivePrefix = 'LIBARCHIVE.xattr.';

/** Takes the body of an `x` or `g` header apart; throws `layer` where it is malformed. */
export function parsePax(body: Buffer): PaxRecords {
  const records: PaxRecords = new Map();
  const sparse: string[] = [];
  let at = 0;
  while (at < body.length) {
    const end = at + recordLength(body, at);
    const start = body.indexOf(0x20, at) + 1;
    const equals = body.indexOf(0x3d, start);
    if (equals <= start || equals >= end || body[end - 1] !== 0x0a) throw malformed();
    const key = nameOf(body.subarray(start, equals));
    const value = body.subarray(equals + 1, end - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparse.push(value.toString('latin1'));
    else records.set(key, value);
    at = end;
  }
  if (sparse.length > 0) records.set('GNU.sparse.map', Buffer.from(sparse.join(',')));
  return records;
}

/** One record: its own length in decimal, a blank, `key=value`, a newline. */
export function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(' '), bytesOf(key), Buffer.from('='), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** The extended attributes among the records that say something of the file itself; undefined where there are none. */
export function paxXattrs(records: PaxRecords): Record<string, string> | undefined {
  const found: [string, string][] = [];
  for (const [key, value] of records) {
    if (key.startsWith(xattrPrefix)) {
      found.push([key.slice(xattrPrefix.length), value.toString('latin1')]);
    } else if (key.startsWith(libarchivePrefix)) {
      const name = percentDecoded(key.slice(libarchivePrefix.length));
      const text = Buffer.from(value.toString('latin1'), 'base64').toString('latin1');
      if (!records.has(xattrPrefix + name)) found.push([name, text]);
    }
  }
  const own = found.filter(([name]) => !isMark(name));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

export function xattrRecord(name: string, value: string): Buffer {
  return paxRecord(xattrPrefix + name, Buffer.from(value, 'latin1'));
}

/** A path or link target: bytes without NUL. */
export function paxName(records: PaxRecords, key: string): Buffer | undefined {
  const value = records.get(key);
  if (value === undefined || value.length === 0) return undefined;
  if (value.includes(0)) throw malformed();
  return value;
}

/** A whole decimal number from 0 up. */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const value = records.get(key);
  return value === undefined || value.length === 0 ? undefined : decimal(value.toString('latin1'));
}

/** A time: whole seconds (floored) and nanoseconds. Further digits are dropped. */
export function paxTime(records: PaxRecords, key: string): { seconds: number; ns: number } | undefined {
  const value = records.get(key);
  if (value === undefined || value.length === 0) return undefined;
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value.toString('latin1'));
  if (match === null) throw malformed();
  const ns = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  const seconds = Number(match[2]);
  if (match[1] === '') return { seconds, ns };
  return ns === 0 ? { seconds: 0 - seconds, ns } : { seconds: -seconds - 1, ns: 1e9 - ns };
}

/** A decimal number from a tar's text; throws `layer` where it is none or too large. */
export function decimal(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw malformed();
  return value;
}

function recordLength(body: Buffer, at: number): number {
  let length = 0;
  let i = at;
  for (; i < body.length && i < at + 10; i++) {
    const digit = body[i]! - 0x30;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  if (i === at || body[i] !== 0x20 || length < 5 || at + length > body.length) throw malformed();
  return length;
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function malformed(): Error {
  return tarError('has a malformed extended header');
}
