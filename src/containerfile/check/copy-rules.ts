import { BuildError } from '../../core/errors.ts';
import { normalPath } from '../../core/paths.ts';
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
      const text = `${JSON.stringify(normalPath(value))} is hidden by the ignore file`;
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

/** With `!` patterns nothing is told: an ignored directory may hold files that are not. */
function isIgnored(source: string, { ignore }: Pick<CheckScope, 'ignore'>): boolean {
  if (ignore === undefined || ignore.reincludes) return false;
  const path = normalPath(source);
  if (path === '.' || path === '/') return ignore.everything;
  return ignore.matches(path);
}
