import { booleanOf } from '../core/boolean.ts';
import { BuildError, suggestion } from '../core/errors.ts';
import { bytesFrom } from '../core/sizes.ts';

/** One of a few words, in any case. */
export function choice<Value extends string>(text: string, values: readonly Value[], what: string): Value {
  const value = values.find((candidate) => candidate === text.toLowerCase());
  if (value !== undefined) return value;
  throw wrong(
    `unsupported ${what} "${text}"`,
    suggestion(text, values) ?? `It is one of ${values.join(', ')}.`,
  );
}

export function bool(text: string, key: string): boolean {
  const value = booleanOf(text);
  if (value !== undefined) return value;
  throw wrong(`invalid value for ${key}: ${text}`, 'Write true or false.');
}

export function number(text: string, base: 8 | 10, key: string): number {
  const value = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text) ? Number.parseInt(text, base) : Number.NaN;
  if (value <= 0xffffffff) return value;
  throw wrong(`invalid value ${text} for ${key}`, base === 8 ? 'Write an octal number.' : 'Write a number.');
}

export function bytes(text: string, key: string): number {
  const size = bytesFrom(text);
  if (size !== undefined) return size;
  throw wrong(`invalid value for ${key}: ${text}`, 'Write bytes, or a number with k, m or g.');
}

/** What is wrong with a mount; its place is added by whoever knows the flag. */
export function wrong(message: string, hint?: string): BuildError {
  return new BuildError('parse', message, hint === undefined ? {} : { hint });
}
