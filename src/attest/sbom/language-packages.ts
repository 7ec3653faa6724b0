import { type Cataloger, type Package, paragraphs, textOf } from './package.ts';

/** Packages that npm and its kin have installed. */
export const npm: Cataloger = {
  reads: (path) => /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/.test(path),
  packages: (file) => {
    const json = parsed(textOf(file, 1 << 20));
    const { name, version, license } = json;
    if (typeof name !== 'string' || typeof version !== 'string' || name === '') return [];
    const slash = name.startsWith('@') ? name.indexOf('/') : -1;
    const scope = slash < 0 ? {} : { namespace: name.slice(0, slash) };
    const written = typeof license === 'string' ? license : (license as { type?: unknown } | undefined)?.type;
    const licensed = typeof written === 'string' ? { license: written } : {};
    return [{ type: 'npm', ...scope, name: name.slice(slash + 1), version, ...licensed, path: file.path }];
  },
};

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Packages that pip and its kin have installed. */
export const python: Cataloger = {
  reads: (path) => /\.dist-info\/METADATA$|\.egg-info(?:\/PKG-INFO)?$/.test(path),
  packages: (file) => {
    const [fields] = paragraphs(textOf(file, 1 << 20));
    const [name, version] = [fields?.get('Name'), fields?.get('Version')];
    if (!name || !version) return [];
    const license = fields!.get('License-Expression') ?? fields!.get('License');
    const licensed = license ? { license } : {};
    const plain = name.toLowerCase().replaceAll('_', '-');
    return [{ type: 'pypi', name: plain, version, ...licensed, path: file.path }];
  },
};

/** Modules that a Go program was built of, as the linker wrote them into it (Go 1.18 and later). */
export const golang: Cataloger = {
  reads: (path, mode) => (mode & 0o111) !== 0 && !/\.(?:sh|py|pl|so)$/.test(path),
  packages: (file) => {
    const header = file.slice(0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1)
      return [];
    const info = buildInfo(header, (offset, length) => file.slice(offset, length));
    return info === undefined ? [] : modulesIn(info, file.path);
  },
};

const magic = Buffer.from('\xff Go buildinf:', 'latin1');

type Slice = (offset: number, length: number) => Buffer;

/**
 * The text that the linker left: in a writable segment of an ELF file of 64 bits (Go, debug/buildinfo), behind a header of 32 bytes the version of Go and the modules, each with its length before it.
 */
function buildInfo(header: Buffer, slice: Slice): string | undefined {
  const [at, size, count] = [
    Number(header.readBigUInt64LE(32)),
    header.readUInt16LE(54),
    header.readUInt16LE(56),
  ];
  const table = slice(at, Math.min(size * count, mostTable));
  let left = mostData;
  for (let entry = 0; size >= 56 && entry + size <= table.length; entry += size) {
    const [type, flags] = [table.readUInt32LE(entry), table.readUInt32LE(entry + 4)];
    if (type !== LOAD || (flags & WRITABLE) === 0) continue;
    const [offset, length] = [8, 32].map((field) => Number(table.readBigUInt64LE(entry + field))) as [
      number,
      number,
    ];
    const data = slice(offset, Math.min(length, left));
    left -= data.length;
    const found = data.indexOf(magic);
    if (found >= 0) return inlineText(slice(offset + found, mostInfo));
  }
  return undefined;
}

/** Bytes of the largest table of segments that is read. */
const mostTable = 1 << 20;
/** Bytes of writable segments that are searched, in all: it stands near the start, but behind the data of a part in C. */
const mostData = 8 << 20;
const LOAD = 1;
const WRITABLE = 2;
/** Bytes of the largest list of modules that is read. */
const mostInfo = 4 << 20;

function inlineText(info: Buffer): string | undefined {
  const isInline = info.length > 32 && (info[15]! & 2) !== 0;
  if (!isInline) return undefined;
  const version = lengthAt(info, 32);
  const modules = lengthAt(info, version.end + version.length);
  // Marks of 16 bytes stand before and behind the text.
  const text = info.toString('utf8', modules.end, modules.end + modules.length);
  return modules.length < 33 ? undefined : text.slice(text.indexOf('path\t'));
}

/** A length as Go writes one: seven bits a byte, the lowest first. */
function lengthAt(bytes: Buffer, start: number): { readonly length: number; readonly end: number } {
  let [length, shift, at] = [0, 0, start];
  for (; at < bytes.length && shift < 28; at++, shift += 7) {
    length |= (bytes[at]! & 0x7f) << shift;
    if (bytes[at]! < 0x80) return { length, end: at + 1 };
  }
  return { length: 0, end: at };
}

/** Lines `mod`, `dep` and `=>` (which replaces the one above), with fields behind tabs. */
function modulesIn(text: string, path: string): Package[] {
  const found: Package[] = [];
  for (const line of text.split('\n')) {
    const [kind, module, version = ''] = line.split('\t');
    if (!module || !['mod', 'dep', '=>'].includes(kind ?? '')) continue;
    if (kind === '=>') found.pop();
    const slash = module.lastIndexOf('/');
    const namespace = slash < 0 ? {} : { namespace: module.slice(0, slash) };
    found.push({ type: 'golang', ...namespace, name: module.slice(slash + 1), version, path });
  }
  return found;
}
