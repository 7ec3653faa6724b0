import { normalPath } from '../../core/paths.ts';
import { isUrl, urlForCopy } from '../source-urls.ts';
import type { CopyInstruction, Word } from '../types.ts';
import type { CheckScope } from './facts.ts';
import { placeOf, type Reading, UNKNOWN, type Value, warn } from './scope.ts';

/** A word and what it is worth. */
export interface ReadWord {
  readonly word: Word;
  readonly value: Value;
}

interface Where {
  readonly reading: Reading;
  readonly check: Pick<CheckScope, 'ignore'>;
}

/** What is wrong or doubtful in the sources of COPY and ADD, as far as they are known. */
export function checkSources(
  { kind, from }: CopyInstruction,
  sources: readonly ReadWord[],
  { reading, check }: Where,
): void {
  for (const { word, value } of sources) {
    if (value === UNKNOWN || from !== undefined) continue;
    if (isUrl(value)) {
      if (kind === 'copy') reading.findings.errors.push(urlForCopy().at(placeOf(word.range, reading)));
    } else if (isIgnored(value, check)) {
      const text = `${JSON.stringify(normalPath(value))} is hidden by the ignore file`;
      warn({ rule: 'CopyIgnoredFile', text, location: word.range }, reading);
    }
  }
}

/** Nothing is told where a `!` pattern may bring back what is asked for, or some of it. */
function isIgnored(source: string, { ignore }: Pick<CheckScope, 'ignore'>): boolean {
  if (ignore === undefined) return false;
  const path = normalPath(source);
  const isRoot = path === '.' || path === '/';
  if (!(isRoot ? ignore.everything : ignore.matches(path))) return false;
  return !ignore.couldReinclude(isRoot ? '' : fixedPart(path));
}

/** The directories of a path above its first wildcard; all of a path that has none. */
function fixedPart(path: string): string {
  const parts = path.replace(/^\//, '').split('/');
  const wild = parts.findIndex((part) => /[*?[\\]/.test(part));
  return parts.slice(0, wild < 0 ? undefined : wild).join('/');
}
