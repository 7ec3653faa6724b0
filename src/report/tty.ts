import { addEvent, emptyPicture, type FrameLine, frameOf } from './frame.ts';
import type { Reporter, Screen } from './screen.ts';
import { widthOf } from './width.ts';

/** The picture is painted again at most this often. */
const repaintEveryMs = 100;

/** Rows that a terminal wrapped count as one line for it until they are cleared. */
const clearBelow = '\x1b[J';

const tones = { plain: '', done: '\x1b[34m', failed: '\x1b[31m', warning: '\x1b[33m', dim: '\x1b[2m' };

/** A live picture on a terminal, painted over itself; the last frame stays, in full. */
export function ttyReporter(screen: Screen): Reporter {
  const picture = emptyPicture();
  let painted: readonly number[] = [];
  let paintedColumns = screen.size().columns;
  let closed = false;
  let resting = false;
  const paint = (last: boolean): void => {
    if (resting) return;
    const { columns, rows } = screen.size();
    const now = screen.now();
    // The last column stays free: a terminal that wraps early would shift everything by a line.
    const width = Math.max(20, columns - 1);
    const whole = { title: screen.title, columns: width, now };
    const size = last ? whole : { ...whole, rows: Math.max(2, rows - 1) };
    const lines = frameOf(picture, size);
    screen.write(
      `${back(painted, { columns, rows })}${columns === paintedColumns ? '' : clearBelow}${lines.map((line) => ink(line, screen.colour)).join('')}${clearBelow}`,
    );
    paintedColumns = columns;
    painted = lines.map((line) => widthOf(line.text));
  };
  const timer = setInterval(() => paint(false), repaintEveryMs);
  timer.unref();
  const stopResize = screen.onResize(() => paint(false));
  return {
    event: (event) => addEvent(picture, event),
    rest: () => {
      paint(false);
      // What is shown stays above what others write.
      painted = [];
      resting = true;
      return () => {
        resting = false;
      };
    },
    close: () => {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      stopResize();
      if (picture.items.size > 0 || picture.outcome !== undefined) paint(true);
    },
  };
}

/** Moves to the first line of the last frame, counting the rows its lines take at the width of now. */
function back(painted: readonly number[], size: { readonly columns: number; readonly rows: number }): string {
  const rows = painted.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / size.columns)), 0);
  const up = Math.min(rows, Math.max(1, size.rows - 1));
  return rows === 0 ? '' : `\r\x1b[${up}A`;
}

function ink(line: FrameLine, colour: boolean): string {
  const tone = colour ? tones[line.tone] : '';
  return `${tone}${line.text}${tone === '' ? '' : '\x1b[0m'}\x1b[K\n`;
}
