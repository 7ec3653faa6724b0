/** A file as the text of a selection tells of it. */
export interface ListedFile {
  /** From the root of its source. */
  readonly path: string;
  readonly type: string;
  /** Octal. */
  readonly mode: string;
  /** `uid:gid`. */
  readonly owner: string;
  /** The digest of its content; numbers of a device; `-` for all else. */
  readonly content: string;
  /** Where a symlink leads, or which file before it it is another name of. */
  readonly link?: string;
  /** Extended attributes as JSON. */
  readonly attributes?: string;
}

/** The text of a selection (copy-key.ts), and where each of its items lies in the source. */
export interface SelectedFiles {
  readonly text: Buffer;
  readonly tops: readonly string[];
}

/** All files of a selection. */
export function filesIn({ text, tops }: SelectedFiles): ListedFile[] {
  const lines = linesOf(text);
  const files: ListedFile[] = [];
  let at = 0;
  for (let item = 0; at < lines.length; item++) {
    const count = /^from (\d+)$/.exec(lines[at]!)?.[1];
    const top = tops[item] ?? '';
    const below = count === undefined ? [] : lines.slice(at + 1, at + 1 + Number(count));
    files.push(
      ...(count === undefined ? [lone(lines[at]!, top)] : below.map((line) => listedFile(line, top))),
    );
    at += 1 + below.length;
  }
  return files;
}

/** The files of two selections without most of what both have: of two large folders that differ little, little is read. */
export function differingFiles(before: SelectedFiles, after: SelectedFiles): [ListedFile[], ListedFile[]] {
  const isFolder = ({ text, tops }: SelectedFiles) => tops.length === 1 && text.subarray(0, 5).equals(FROM);
  if (!isFolder(before) || !isFolder(after)) return [filesIn(before), filesIn(after)];
  const [old, now] = differingLines(behindFirstLine(before.text), behindFirstLine(after.text));
  return [
    linesOf(old).map((line) => listedFile(line, before.tops[0]!)),
    linesOf(now).map((line) => listedFile(line, after.tops[0]!)),
  ];
}

/** How the line of a folder begins, which says how many follow. */
const FROM = Buffer.from('from ');

const LINE_END = 0x0a;

function linesOf(text: Buffer): string[] {
  return text.toString('utf8').split('\n').slice(0, -1);
}

function behindFirstLine(text: Buffer): Buffer {
  return text.subarray(text.indexOf(LINE_END) + 1);
}

/** Texts without the whole lines that both begin and end with. */
function differingLines(before: Buffer, after: Buffer): [Buffer, Buffer] {
  const same = sameAtStart(before, after);
  const head = same === 0 ? 0 : before.lastIndexOf(LINE_END, same - 1) + 1;
  const [old, now] = [before.subarray(head), after.subarray(head)];
  const tail = sameAtEnd(old, now);
  const isLineStart = (text: Buffer) => tail === text.length || text[text.length - tail - 1] === LINE_END;
  const end = old.subarray(old.length - tail);
  const kept = isLineStart(old) && isLineStart(now) ? tail : tail - end.indexOf(LINE_END) - 1;
  return [old.subarray(0, old.length - kept), now.subarray(0, now.length - kept)];
}

/** Bytes that are compared at once. */
const PIECE = 1 << 14;

function sameAtStart(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  let same = 0;
  while (same + PIECE <= most && a.compare(b, same, same + PIECE, same, same + PIECE) === 0) same += PIECE;
  while (same < most && a[same] === b[same]) same++;
  return same;
}

function sameAtEnd(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  const piece = (text: Buffer, same: number) => text.subarray(text.length - same - PIECE, text.length - same);
  let same = 0;
  while (same + PIECE <= most && piece(a, same).equals(piece(b, same))) same += PIECE;
  while (same < most && a[a.length - 1 - same] === b[b.length - 1 - same]) same++;
  return same;
}

/** A file that is an item itself. */
function lone(line: string, top: string): ListedFile {
  const file = listedFile(line, '');
  return top === '' ? file : { ...file, path: top };
}

/** What a line says of a file below `top`. */
function listedFile(line: string, top: string): ListedFile {
  const [, type, mode, uid, gid, content, name, more] = LINE.exec(line) as unknown as [string, ...string[]];
  const [first, link, attributes] = JSON.parse(more ?? '[]') as [string?, string?, unknown?];
  const target = link ?? first;
  return {
    path: (top === '' ? '' : `${top}/`) + (JSON.parse(name!) as string),
    type: type!,
    mode: Number(mode).toString(8),
    owner: `${uid}:${gid}`,
    content: content!,
    ...(target && { link: target }),
    ...(attributes ? { attributes: JSON.stringify(attributes) } : {}),
  };
}

const LINE = /^(?:parent )?(\S+) (\d+) (\d+) (\d+) (\S+) ("(?:[^"\\]|\\.)*")(?: (.*))?$/s;
