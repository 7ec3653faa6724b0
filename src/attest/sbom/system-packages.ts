import type { Database } from 'sql.js';
import { type Cataloger, type Package, paragraphs, type ReadableFile, textOf } from './package.ts';

/** Debian's packages, also where an image has one file for each (distroless). */
export const dpkg: Cataloger = {
  reads: (path) => /^var\/lib\/dpkg\/status(?:\.d\/(?!.*\.md5sums$)[^/]+)?$/.test(path),
  packages: (file) =>
    paragraphs(textOf(file)).flatMap((fields): Package[] => {
      const [name, version, status] = [fields.get('Package'), fields.get('Version'), fields.get('Status')];
      if (name === undefined || version === undefined) return [];
      if (status !== undefined && !/ installed$/.test(status)) return [];
      const arch = fields.get('Architecture') ?? '';
      return [{ type: 'deb', name, version, qualifiers: { arch }, path: file.path }];
    }),
};

/** Alpine's and Wolfi's packages. */
export const apk: Cataloger = {
  reads: (path) => /^(?:usr\/)?lib\/apk\/db\/installed$/.test(path),
  packages: (file) =>
    paragraphs(textOf(file)).flatMap((fields): Package[] => {
      const [name, version, license] = [fields.get('P'), fields.get('V'), fields.get('L')];
      if (name === undefined || version === undefined) return [];
      const arch = fields.get('A') ?? '';
      const licensed = license === undefined ? {} : { license };
      return [{ type: 'apk', name, version, qualifiers: { arch }, ...licensed, path: file.path }];
    }),
};

/** Packages of Fedora and its kin, as rpm keeps them since 4.16: older databases tell of nothing. */
export const rpm: Cataloger = {
  reads: (path) => /^(?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/rpmdb\.sqlite$/.test(path),
  packages: async (file) => (await headersIn(file)).flatMap((header) => rpmPackage(header, file.path)),
};

/** Bytes of a database that is read: those of whole desktops stay below. */
const mostDatabase = 512 << 20;

/** More headers than any system has packages, and bytes of them all. */
const mostHeaders = 100_000;

async function headersIn(file: ReadableFile): Promise<Uint8Array[]> {
  if (file.size > mostDatabase) return [];
  const { default: initialise } = await import('sql.js');
  const { Database } = await initialise();
  const database = new Database(file.slice(0, file.size));
  try {
    return [...headersOf(database)];
  } catch {
    return [];
  } finally {
    database.close();
  }
}

/** Of a plain table alone: what a view or a computed column gives may take for ever, and be without end. */
function* headersOf(database: Database): Generator<Uint8Array> {
  const [table] = database.exec(
    "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'Packages' AND sql NOT LIKE '%VIRTUAL%'",
  );
  const [columns] = database.exec("SELECT 1 FROM pragma_table_xinfo('Packages') WHERE hidden <> 0");
  if (table === undefined || columns !== undefined) return;
  const rows = database.prepare('SELECT blob FROM Packages');
  for (let [count, bytes] = [0, 0]; count < mostHeaders && bytes < mostDatabase && rows.step(); count++) {
    const [blob] = rows.get();
    if (!(blob instanceof Uint8Array)) continue;
    bytes += blob.length;
    yield blob;
  }
}

/** Numbers of the tags that are read (rpm, rpmtag.h). */
const tags = { name: 1000, version: 1001, release: 1002, epoch: 1003, license: 1014, arch: 1022 };

function rpmPackage(blob: Uint8Array, path: string): Package[] {
  const header = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  const [name, version] = [stringOf(header, tags.name), stringOf(header, tags.version)];
  // Keys that packages are checked with are kept among them.
  if (name === undefined || version === undefined || name === 'gpg-pubkey') return [];
  const [release, license] = [stringOf(header, tags.release), stringOf(header, tags.license)];
  const epoch = entryOf(header, tags.epoch);
  const full = release === undefined ? version : `${version}-${release}`;
  const qualifiers = {
    arch: stringOf(header, tags.arch) ?? '',
    ...(epoch !== undefined && epoch.length >= 4 && { epoch: String(epoch.readUInt32BE(0)) }),
  };
  return [{ type: 'rpm', name, version: full, qualifiers, ...(license !== undefined && { license }), path }];
}

/**
 * The bytes from where a tag's value begins: a header is two counts, an index of 16 bytes an entry (tag, type, offset,
 * count) and the values.
 */
function entryOf(header: Buffer, tag: number): Buffer | undefined {
  if (header.length < 8) return undefined;
  const count = Math.min(header.readUInt32BE(0), (header.length - 8) >> 4);
  for (let at = 8; at < 8 + count * 16; at += 16) {
    if (header.readUInt32BE(at) === tag) return header.subarray(8 + count * 16 + header.readUInt32BE(at + 8));
  }
  return undefined;
}

function stringOf(header: Buffer, tag: number): string | undefined {
  const value = entryOf(header, tag);
  const end = value?.indexOf(0) ?? -1;
  return end < 0 ? undefined : value!.toString('utf8', 0, end);
}
