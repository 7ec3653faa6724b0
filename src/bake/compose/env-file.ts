import { BuildError } from '../../core/errors.ts';
import { type BakeFile, locateIn } from '../source.ts';
import { interpolate, type Lookup } from './interpolate.ts';

/**
 * The variables of a file of lines `NAME=VALUE`. Text between single quotes is taken as it is; elsewhere `$NAME` stands for
 * a variable of `lookup` or of a line above. Fails with `parse`.
 */
export function parseEnvFile(file: BakeFile, lookup: Lookup): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const locate = locateIn(file);
  const all: Lookup = (name) => lookup(name) ?? found.get(name);
  for (const { 0: line, index } of file.text.matchAll(statement)) {
    const range = locate(index, index + line.length);
    const [, name, value = ''] = /^\s*(?:export\s+)?([\w.-]+)\s*(?:[=:]\s*(.*))?$/s.exec(line) ?? [];
    if (name === undefined) throw new BuildError('parse', 'this line is no NAME=VALUE', { location: range });
    const own = line.includes('=') || line.includes(':') ? valueOfLine(value) : lookup(name);
    if (own === undefined) continue;
    const isTemplate = typeof own !== 'string' && own.expands;
    const text = typeof own === 'string' ? own : own.text;
    found.set(name, isTemplate ? interpolate(text, range, { lookup: all, onUnset: () => {} }) : text);
  }
  return found;
}

/** A line that says something; text between quotes may have several lines. */
const statement = /^[ \t]*(?![#\s])(?:[^\n'"]|'[^']*'|"(?:[^"\\]|\\.)*")+/gm;

interface LineValue {
  readonly text: string;
  /** Whether variables in it are replaced. */
  readonly expands: boolean;
}

function valueOfLine(written: string): LineValue {
  const single = /^'([^']*)'/s.exec(written);
  if (single !== null) return { text: single[1]!, expands: false };
  const double = /^"((?:[^"\\]|\\.)*)"/s.exec(written);
  if (double !== null) return { text: unescaped(double[1]!), expands: true };
  return { text: written.replace(/\s+#.*$/, '').trimEnd(), expands: true };
}

function unescaped(text: string): string {
  const letters: Readonly<Record<string, string>> = {
    n: '\n',
    r: '\r',
    t: '\t',
    '"': '"',
    '\\': '\\',
    $: '$$',
  };
  return text.replace(/\\(.)/gs, (whole, letter: string) => letters[letter] ?? whole);
}
