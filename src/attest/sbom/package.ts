/** A package that an image holds, by the words of its kind of packages (purl-spec). */
export interface Package {
  readonly type: 'deb' | 'apk' | 'rpm' | 'npm' | 'pypi' | 'golang';
  readonly name: string;
  readonly version: string;
  /** A vendor, a scope, the folder of a module. */
  readonly namespace?: string;
  readonly qualifiers?: Readonly<Record<string, string>>;
  /** As its packager wrote it. */
  readonly license?: string;
  /** The file that tells of it, in the image. */
  readonly path: string;
}

/** A file as a reader of packages gets it: only what it asks for is read. */
export interface ReadableFile {
  readonly path: string;
  readonly size: number;
  /** Fewer bytes at the file's end. */
  slice(offset: number, length: number): Buffer;
}

/** One kind of packages: which files tell of them, and what they tell. What cannot be understood tells of nothing. */
export interface Cataloger {
  readonly reads: (path: string, mode: number) => boolean;
  readonly packages: (file: ReadableFile) => readonly Package[] | Promise<readonly Package[]>;
}

/** The text of a file; of a longer one than `most` bytes its beginning. */
export function textOf(file: ReadableFile, most = 64 << 20): string {
  return file.slice(0, Math.min(file.size, most)).toString('utf8');
}

/** The package's address, such as `pkg:deb/debian/zlib1g@1.2.13?arch=amd64&distro=debian-12`. */
export function purlOf({ type, namespace, name, version, qualifiers = {} }: Package): string {
  const path = [...(namespace?.split('/') ?? []), name].map(escaped).join('/');
  const query = Object.entries(qualifiers)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${escaped(value)}`);
  const tail = query.length === 0 ? '' : `?${query.join('&')}`;
  return `pkg:${type}/${path}${version === '' ? '' : `@${escaped(version)}`}${tail}`;
}

function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%3A', ':');
}

/** The fields of paragraphs that empty lines part (`Name: value`), the first value of each; what is folded is left away. */
export function paragraphs(text: string): ReadonlyMap<string, string>[] {
  const found = [new Map<string, string>()];
  for (const line of linesOf(text)) {
    const fields = found.at(-1)!;
    if (line.trim() === '') {
      if (fields.size > 0) found.push(new Map());
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0 || /^\s/.test(line)) continue;
    const name = line.slice(0, colon);
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return found;
}

/** One after the other: there may be millions. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
  }
}
