import type { FrameLine } from './blocks.ts';
import { widthOf } from './width.ts';

const tones = { plain: '', done: '\x1b[34m', failed: '\x1b[31m', warning: '\x1b[33m', dim: '\x1b[2m' };

const clearLine = '\x1b[K';
/** Rows that a terminal wrapped count as one line for it until they are cleared. */
const clearBelow = '\x1b[J';

/** The size of a terminal in characters. */
interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * What brings a terminal from one frame to the next: lines that stay the same are not written again. The cursor rests at
 * the start of the line below the frame.
 */
export class Painter {
  readonly #colour: boolean;
  #painted: readonly FrameLine[] = [];
  #size: Size | undefined;

  constructor(colour: boolean) {
    this.#colour = colour;
  }

  /** The text to write for a frame; empty where nothing has changed. */
  paint(lines: readonly FrameLine[], size: Size): string {
    const before = this.#painted;
    const isResized = this.#size !== undefined && this.#size.columns !== size.columns;
    const isWrapped = lines.some(({ text }) => widthOf(text) >= size.columns);
    this.#size = size;
    this.#painted = lines;
    return isResized || isWrapped || before.length >= size.rows
      ? this.#again(before, lines, size)
      : this.#changed(before, lines);
  }

  /** What was painted stays, above the next frame. */
  leave(): void {
    this.#painted = [];
  }

  /** The whole frame, from where the last one began: it may have been wrapped since, and have left at the top. */
  #again(before: readonly FrameLine[], lines: readonly FrameLine[], { columns, rows }: Size): string {
    const taken = before.reduce((sum, { text }) => sum + Math.max(1, Math.ceil(widthOf(text) / columns)), 0);
    return `${up(Math.min(taken, rows - 1))}${clearBelow}${lines.map((line) => this.#ink(line)).join('\n')}\n`;
  }

  #changed(before: readonly FrameLine[], lines: readonly FrameLine[]): string {
    let out = '';
    /** The line in which the cursor is. */
    let at = before.length;
    const move = (to: number): string => {
      const moved = to < at ? up(at - to) : '\n'.repeat(to - at);
      at = to;
      return moved;
    };
    lines.forEach((line, i) => {
      const old = before[i];
      if (old !== undefined && old.text === line.text && old.tone === line.tone) return;
      out += `${move(i)}${this.#ink(line)}${old === undefined ? '' : clearLine}\n`;
      at++;
    });
    if (before.length > lines.length) return `${out}${move(lines.length)}${clearBelow}`;
    return out + move(lines.length);
  }

  #ink({ text, tone }: FrameLine): string {
    const colour = this.#colour ? tones[tone] : '';
    return colour === '' ? text : `${colour}${text}\x1b[0m`;
  }
}

function up(lines: number): string {
  return lines === 0 ? '' : `\r\x1b[${lines}A`;
}
