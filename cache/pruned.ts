import { appendFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Home } from './home.ts';

/** Past this the older half is forgotten. */
const mostBytes = 1e6;

/** Names that are written down at once. */
const mostNames = 5000;

/** Writes down what is taken away now: keys of records, digests of blobs and layers, in hexadecimal. Never throws. */
export function notePruned(home: Home, names: readonly string[]): void {
  if (names.length === 0) return;
  try {
    note(home, names.slice(-mostNames));
  } catch {
    // Things are taken away where a disk is full: then there may be no place for a word about it.
  }
}

/** Gives the ISO time at which something of a name was last taken away, as far as that was known at the first question. */
export function openPruned(home: Home): (name: string) => string | undefined {
  let lines: readonly string[] | undefined;
  return (name) => {
    lines ??= linesOf(home);
    const line = lines.findLast((line) => line.includes(name));
    return line?.slice(0, line.indexOf(' '));
  };
}

function note(home: Home, names: readonly string[]): void {
  const file = fileOf(home);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  appendFileSync(file, `${new Date().toISOString()} ${names.join(' ')}\n`, { mode: 0o600 });
  if (statSync(file).size > mostBytes) home.write(file, newerHalf(readFileSync(file, 'utf8')));
}

function fileOf(home: Home): string {
  return home.path('ingredients', 'pruned');
}

function newerHalf(text: string): string {
  return text.slice(text.indexOf('\n', text.length / 2) + 1);
}

function linesOf(home: Home): readonly string[] {
  try {
    return readFileSync(fileOf(home), 'utf8').split('\n');
  } catch {
    return [];
  }
}
