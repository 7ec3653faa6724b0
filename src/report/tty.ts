import { frameOf } from './frame.ts';
import { Painter } from './painter.ts';
import { addEvent, emptyPicture } from './picture.ts';
import type { Reporter, Screen } from './screen.ts';

/** The picture is painted again at most this often. */
const repaintEveryMs = 100;

/** A live picture on a terminal, painted over itself; the last frame stays, in full. */
export function ttyReporter(screen: Screen): Reporter {
  const picture = emptyPicture();
  const painter = new Painter(screen.colour);
  let closed = false;
  let resting = false;
  const paint = (last: boolean): void => {
    if (resting) return;
    const { columns, rows } = screen.size();
    // The last column stays free: a terminal that wraps early would shift everything by a line.
    const whole = { title: screen.title, columns: Math.max(20, columns - 1), now: screen.now() };
    const size = last ? whole : { ...whole, rows: Math.max(2, rows - 1) };
    const text = painter.paint(frameOf(picture, size), { columns, rows: Math.max(2, rows) });
    if (text !== '') screen.write(text);
  };
  const timer = setInterval(() => paint(false), repaintEveryMs);
  timer.unref();
  const stopResize = screen.onResize(() => paint(false));
  return {
    event: (event) => addEvent(picture, event),
    rest: () => {
      paint(false);
      // What is shown stays above what others write.
      painter.leave();
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
