/**
 * Which of the steps `before` each of the steps `now` is, by place; undefined for a new one. Steps of equal text are the
 * same, in order; what stands between two such pairs is paired by its instruction.
 */
export function counterparts(before: readonly string[], now: readonly string[]): (number | undefined)[] {
  const found = new Array<number | undefined>(now.length).fill(undefined);
  const anchors = [...equalPairs(before, now), [before.length, now.length] as const];
  let [fromBefore, fromNow] = [0, 0];
  for (const [b, n] of anchors) {
    pairGap({ before, now, found }, [fromBefore, b], [fromNow, n]);
    if (n < now.length) found[n] = b;
    [fromBefore, fromNow] = [b + 1, n + 1];
  }
  return found;
}

/** How many steps of equal text two stages have in common, in order. */
export function countEqual(before: readonly string[], now: readonly string[]): number {
  return equalPairs(before, now).length;
}

type Pair = readonly [number, number];

interface Pairing {
  readonly before: readonly string[];
  readonly now: readonly string[];
  readonly found: (number | undefined)[];
}

/** An edited line is still the step that it was: the next one of its instruction. */
function pairGap({ before, now, found }: Pairing, [b0, b1]: Pair, [n0, n1]: Pair): void {
  let next = b0;
  for (let n = n0; n < n1; n++) {
    const b = rangeOf(next, b1).find((i) => keywordOf(before[i]!) === keywordOf(now[n]!));
    if (b === undefined) continue;
    found[n] = b;
    next = b + 1;
  }
}

function rangeOf(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

function keywordOf(text: string): string {
  return text.slice(0, text.search(/\s|$/)).toUpperCase();
}

/** The longest common subsequence, as pairs of places. */
function equalPairs(before: readonly string[], now: readonly string[]): Pair[] {
  const lengths = lengthsOf(before, now);
  const pairs: Pair[] = [];
  let [b, n] = [0, 0];
  while (b < before.length && n < now.length) {
    if (before[b] === now[n]) pairs.push([b++, n++]);
    else if (lengths[b + 1]![n]! >= lengths[b]![n + 1]!) b++;
    else n++;
  }
  return pairs;
}

/** At `[b][n]`: how many the texts from there on have in common. */
function lengthsOf(before: readonly string[], now: readonly string[]): number[][] {
  const lengths = before.map(() => new Array<number>(now.length + 1).fill(0));
  lengths.push(new Array<number>(now.length + 1).fill(0));
  for (let b = before.length - 1; b >= 0; b--) {
    for (let n = now.length - 1; n >= 0; n--) {
      const isEqual = before[b] === now[n];
      lengths[b]![n] = isEqual
        ? lengths[b + 1]![n + 1]! + 1
        : Math.max(lengths[b + 1]![n]!, lengths[b]![n + 1]!);
    }
  }
  return lengths;
}
