import { listingOf } from './layers.ts';
import { readLayout } from './oci-layout.ts';
import type { PlaceResult, Target } from './place-build.ts';
import type { Difference, Found } from './place-differences.ts';

/** A place as a table tells of it. */
export interface ToldPlace {
  readonly about: string;
  readonly result: PlaceResult;
}

const columns: Readonly<Record<Target, string>> = {
  people: 'ten packages of Debian',
  databases: 'four database servers',
  npm: '`npm ci`',
  account: 'an account in busybox',
  plain: 'without RUN',
};

/** The text with another content between `<!-- NAME -->` and `<!-- /NAME -->`. */
export function withPart(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < 0) throw new Error(`there is no place for ${name}`);
  return `${text.slice(0, from + start.length)}${content}${text.slice(to)}`;
}

/**
 * Which place can build what. What the build says of the sandbox stands there in its own words; what was not tried keeps
 * the cell that it has in `former`.
 */
export function placeTable(places: readonly ToldPlace[], shown: readonly Target[], former: string): string {
  const head = ['where', 'a RUN runs', 'its root is', ...shown.map((target) => columns[target])];
  return table(
    head,
    places.map((place) => placeRow(place, shown, former)),
  );
}

function placeRow({ about, result }: ToldPlace, shown: readonly Target[], former: string): string[] {
  const line = former.split('\n').find((one) => one.startsWith(`| ${about} | `)) ?? '';
  const cells = line.split(' | ').map((cell) => cell.replace(/ \|$/, ''));
  const mark = (code: number | undefined) => (code === undefined ? undefined : code === 0 ? 'yes' : 'no');
  const marks = shown.map((target, n) => mark(result.codes[target]) ?? cells[n + 3] ?? '–');
  return [about, ...sandboxOf(result.logs.account ?? ''), ...marks];
}

function sandboxOf(log: string): [how: string, root: string] {
  const how = /^RUN uses (.*?)(?: \(.*\))?$/m.exec(log)?.[1];
  if (how === undefined) return ['–', '–'];
  return [how, /RUN works in a full copy/.test(log) ? 'a copy' : 'an overlay'];
}

/** Every difference that is allowed, with its reason. */
export function differenceTable(
  differences: readonly Difference[],
  aboutOf: (place: string) => string,
): string {
  const rows = differences.map(({ lines, reason, only, target }) => [
    lines.map((line) => `\`${readable(line)}\``).join('<br>'),
    reason,
    [...(target === undefined ? [] : [columns[target]]), ...(only ?? []).map(aboutOf)].join('; ') ||
      'anywhere',
  ]);
  return table(['what differs', 'because', 'where'], rows);
}

/** A regular expression without the signs that only a program needs. */
function readable(line: string): string {
  return line
    .replace(/^\^|\$$| $/g, '')
    .replace(/\\([./])/g, '$1')
    .replaceAll('|', '\\|');
}

/** What was compared for one target with the first place's. */
export interface Compared {
  readonly about: string;
  readonly target: Target;
  readonly layout: string;
  readonly found: readonly Found[];
}

/** How much was compared, and how much of it differs. */
export function countTable(compared: readonly Compared[]): string {
  const head = [
    'where',
    'image',
    'entries',
    'not of root',
    'other owners',
    'other modes',
    'else other, listed',
  ];
  return table(head, compared.map(countRow));
}

function countRow({ about, target, layout, found }: Compared): string[] {
  const entries = readLayout(layout).manifest.layers.flatMap(({ digest }) => listingOf(layout, digest));
  const owned = entries.filter(({ uid, gid }) => uid !== 0 || gid !== 0);
  const lines = found.filter((one) => one.target === target).map(({ line }) => line);
  const [owners, modes] = ['owner', 'mode'].map(
    (aspect) => lines.filter((line) => line.includes(`: ${aspect} `)).length,
  ) as [number, number];
  const numbers = [entries.length, owned.length, owners, modes, lines.length - owners - modes];
  return [about, columns[target], ...numbers.map((number) => number.toLocaleString('en'))];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
