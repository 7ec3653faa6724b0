import { clip, widthOf } from './width.ts';

/** How a table is laid out. */
export interface Fitting {
  /** Columns of the screen; undefined where nothing needs to be cut. */
  readonly columns: number | undefined;
  /** Columns of the table, by number, that hold numbers: they stand right. */
  readonly right: readonly number[];
}

/** The last column is never cut to less than this. */
const least = 8;

/** Lines of cells, two spaces apart; the last cell of each is cut to what is left of the screen. */
export function fitTable(
  rows: readonly (readonly string[])[],
  { columns = Number.POSITIVE_INFINITY, right }: Fitting,
): string {
  const last = Math.max(0, ...rows.map((row) => row.length - 1));
  const widths = Array.from({ length: last }, (_, i) =>
    Math.max(...rows.map((row) => widthOf(row[i] ?? ''))),
  );
  const left = columns - widths.reduce((sum, width) => sum + width + 2, 0);
  const cell = (text: string, i: number): string => {
    if (i === last) return clip(text, Math.max(left, least));
    const padding = ' '.repeat(widths[i]! - widthOf(text));
    return right.includes(i) ? `${padding}${text}  ` : `${text}${padding}  `;
  };
  return rows.map((row) => `${row.map(cell).join('').trimEnd()}\n`).join('');
}
