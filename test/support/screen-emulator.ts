import { widthOf } from '../../src/report/width.ts';

/** What a terminal shows, as far as programs here make use of one. */
export interface Terminal {
  write(text: string): void;
  /** Changes the size; lines that were wrapped, or have to be now, are laid out anew, as modern terminals do. */
  resize(columns: number, rows: number): void;
  /** Every line so far, those above the screen included, or a part of them; without blanks at their ends. */
  lines(from?: number, to?: number): string[];
  /** The line of the cursor, among all lines. */
  cursorLine(): number;
  /** Sequences that were obeyed, by their last character. */
  readonly sequences: Record<string, number>;
  readonly columns: number;
  readonly rows: number;
}

/** A row of characters; a wide one takes two places, of which the second is empty. */
interface Row {
  cells: string[];
  /** It goes on with what had no room in the row above. */
  continues: boolean;
}

/** A terminal as wide and high as said. What it does not know is an error: no program is to rely on it. */
export function newTerminal(size: { columns: number; rows: number }): Terminal {
  return new Screen(size.columns, size.rows);
}

const token = /\x1b\[([0-9;?]*)([A-Za-z])|[\s\S]/gu;

class Screen implements Terminal {
  readonly sequences: Record<string, number> = {};
  columns: number;
  rows: number;
  #buffer: Row[] = [{ cells: [], continues: false }];
  #line = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    for (const [whole, parameters = '', final] of text.matchAll(token)) {
      if (final !== undefined) this.#obey(final, parameters);
      else if (whole === '\n') this.#feed(false);
      else if (whole === '\r') this.#column = 0;
      else this.#put(whole);
    }
  }

  resize(columns: number, rows: number): void {
    // What is blank below the cursor goes first, when there is less room.
    while (this.#buffer.length - 1 > this.#line && this.#buffer.at(-1)!.cells.length === 0)
      this.#buffer.pop();
    const whole: Row[] = [];
    let cursor = 0;
    this.#buffer.forEach((row, i) => {
      if (row.continues && whole.length > 0) whole.at(-1)!.cells.push(...row.cells);
      else whole.push({ cells: [...row.cells], continues: false });
      if (i === this.#line) cursor = whole.length - 1;
    });
    [this.columns, this.rows] = [columns, rows];
    this.#buffer = whole.flatMap((row, i) => {
      const parts: Row[] = [];
      for (let at = 0; at === 0 || at < row.cells.length; at += columns)
        parts.push({ cells: row.cells.slice(at, at + columns), continues: at > 0 });
      if (i < cursor) this.#line = parts.length + (i === 0 ? 0 : this.#line);
      return parts;
    });
    if (cursor === 0) this.#line = 0;
  }

  lines(from = 0, to?: number): string[] {
    return this.#buffer.slice(from, to).map(({ cells }) => cells.join('').trimEnd());
  }

  cursorLine(): number {
    return this.#line;
  }

  get #top(): number {
    return Math.max(0, this.#buffer.length - this.rows);
  }

  #obey(final: string, parameters: string): void {
    this.sequences[final] = (this.sequences[final] ?? 0) + 1;
    const count = parameters === '' ? 1 : Number(parameters);
    if (final === 'A') this.#line = Math.max(this.#top, this.#line - count);
    else if (final === 'K')
      this.#buffer[this.#line]!.cells.length = Math.min(this.#column, this.#cells.length);
    else if (final === 'J') {
      this.#cells.length = Math.min(this.#column, this.#cells.length);
      // The rows below stay on the screen, blank.
      for (const row of this.#buffer.slice(this.#line + 1)) [row.cells, row.continues] = [[], false];
    } else if (final !== 'm') throw new Error(`the sequence CSI ${parameters}${final} is not known`);
  }

  get #cells(): string[] {
    return this.#buffer[this.#line]!.cells;
  }

  #feed(continues: boolean): void {
    this.#column = 0;
    this.#line++;
    if (this.#line === this.#buffer.length) this.#buffer.push({ cells: [], continues });
    else if (continues) this.#buffer[this.#line]!.continues = true;
  }

  #put(character: string): void {
    if (character < ' ') throw new Error(`the control ${JSON.stringify(character)} is not known`);
    const width = widthOf(character);
    if (width === 0) {
      const before = this.#cells.findLastIndex((cell, i) => i < this.#column && cell !== '');
      if (before >= 0) this.#cells[before] += character;
      return;
    }
    if (this.#column + width > this.columns) this.#feed(true);
    while (this.#cells.length < this.#column) this.#cells.push(' ');
    this.#cells[this.#column++] = character;
    if (width === 2) this.#cells[this.#column++] = '';
  }
}
