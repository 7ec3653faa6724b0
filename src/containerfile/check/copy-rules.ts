import { BuildError } from '../../core/errors.ts';
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
    if (value === UNKNOWN) continue;
    if (kind === 'copy' && from === undefined && isRemote(value)) refuseRemote(word, reading);
    if (from === undefined && !isRemote(value) && isIgnored(value, check)) {
      const text = `${JSON.stringify(cleaned(value))} is hidden by the ignore file`;
      warn({ rule: 'CopyIgnoredFile', text, location: word.range }, reading);
    }
  }
}

function refuseRemote(word: Word, reading: Reading): void {
  const location = placeOf(word.range, reading);
  const hint = 'ADD takes it, or a RUN downloads it.';
  reading.findings.errors.push(
    new BuildError('context', `source can't be a URL for COPY`, { location, hint }),
  );
}

function isRemote(source: string): boolean {
  return /^(https?|git|ssh):\/\/|^git@/.test(source);
}

/** Nothing is told where a `!` pattern may bring back what is asked for, or some of it. */
function isIgnored(source: string, { ignore }: Pick<CheckScope, 'ignore'>): boolean {
  if (ignore === undefined) return false;
  const path = cleaned(source);
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

/** A path without empty parts, `.` and `..` where they can be resolved. */
function cleaned(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part === '..' && path.startsWith('/')) continue;
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const rooted = path.startsWith('/') ? '/' : '';
  return rooted + parts.join('/') || '.';
}
