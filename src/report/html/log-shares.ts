import { escapeText } from './markup.ts';
import type { LogText } from './report-data.ts';

/** A longer line is cut: nobody reads the rest of it here. */
const longestLine = 1000;

/**
 * Cuts logs so that together they take up at most `bytes` of a page: short ones stay whole, and what they leave is
 * shared by the long ones. Of a long one the beginning and, more of it, the end are shown, in whole lines.
 */
export function shareSpace(logs: ReadonlyMap<string, LogText>, bytes: number): Map<string, LogText> {
  const sizes = [...logs].map(([id, { head, tail }]) => ({ id, size: sizeOf(head) + sizeOf(tail) }));
  sizes.sort((a, b) => a.size - b.size);
  let left = bytes;
  return new Map(
    sizes.map(({ id, size }, i) => {
      const share = Math.min(size, Math.floor(left / (sizes.length - i)));
      left -= share;
      return [id, share < size ? cut(logs.get(id)!, share) : logs.get(id)!];
    }),
  );
}

function cut(log: LogText, share: number): LogText {
  const whole = log.tail === '' ? linesOf(log.head) : [...linesOf(log.head), ...linesOf(log.tail)];
  const heads = log.tail === '' ? whole : linesOf(log.head);
  const head = within(heads, share / 4);
  const rest = whole.slice(head.length);
  const tail = within([...rest].reverse(), share - sizeOf(head.join('\n'))).reverse();
  const left = rest.slice(0, rest.length - tail.length);
  const hidden = log.hidden + Buffer.byteLength(left.map((line) => `${line}\n`).join(''));
  return { head: head.join('\n'), tail: tail.join('\n'), hidden };
}

function linesOf(text: string): string[] {
  const lines = text.replace(/\n$/, '').split('\n');
  return lines.map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line));
}

/** As many of the first lines as fit. */
function within(lines: readonly string[], bytes: number): string[] {
  let left = bytes;
  const end = lines.findIndex((line) => {
    left -= sizeOf(line) + 1;
    return left < 0;
  });
  return lines.slice(0, end < 0 ? lines.length : end);
}

/** Bytes of a text in the page. */
function sizeOf(text: string): number {
  return Buffer.byteLength(escapeText(text));
}
