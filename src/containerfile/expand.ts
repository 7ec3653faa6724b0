import { BuildError } from '../core/errors.ts';
import { GrowingWords } from './growing-words.ts';
import { removePrefix, removeSuffix, replacePattern } from './substitute.ts';
import type { Env } from './types.ts';
import { valueIn } from './variables.ts';
import { scanned } from './work.ts';

export interface ExpandOptions {
  /** The file's escape character; a backslash unless said. */
  readonly escape?: '\\' | '`';
  /** Told the name of every variable that is asked for and not set. */
  readonly onUnset?: (name: string) => void;
  /** Told every variable with its place in the text. */
  readonly onVariable?: (variable: VariableUse) => void;
}

/** A `$name` or `${name…}`; the end is exclusive. */
export interface VariableUse {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Characters that variables may add to a text. */
const MAX_GROWTH = 2 ** 20;

/** Deeper `${a:-${b:-…}}` than this is refused, so that no text exhausts the stack. */
const MAX_DEPTH = 200;

/**
 * Replaces variables and removes quotes and escapes (§1.4). Unset variables are empty. Fails with `parse` for an open
 * quote or brace, an unsupported modifier, and `${name:?message}` of an unset name.
 */
export function expandWord(text: string, env: Env, options: ExpandOptions = {}): string {
  return lexed(text, env, { ...options, quotes: true });
}

/** As `expandWord`, then split at blanks that no quote or escape holds: a variable's value may become many words. */
export function expandWords(text: string, env: Env, options: ExpandOptions = {}): string[] {
  const words = new GrowingWords();
  lexed(text, env, { ...options, quotes: true, words });
  return words.all();
}

/** Replaces variables in the body of a heredoc: quotes are ordinary characters, a backslash escapes. */
export function expandHeredoc(text: string, env: Env, options: Omit<ExpandOptions, 'escape'> = {}): string {
  return lexed(text, env, { ...options, quotes: false });
}

/** The variables a text asks for, in order, those inside defaults included; none for a text that does not expand. */
export function variablesIn(text: string, options: ExpandOptions = {}): VariableUse[] {
  const found: VariableUse[] = [];
  const onVariable = (variable: VariableUse): void => void found.push(variable);
  try {
    lexed(text, {}, { ...options, quotes: true, onVariable });
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
  }
  return found.sort((a, b) => a.start - b.start);
}

interface Settings extends ExpandOptions {
  readonly quotes: boolean;
  /** Takes the words, where they are wanted. */
  readonly words?: GrowingWords;
}

/** Where the lexer stands in its text. */
interface Cursor {
  readonly text: string;
  readonly env: Env;
  readonly settings: Settings;
  readonly escapeWith: string;
  at: number;
  depth: number;
}

function lexed(text: string, env: Env, settings: Settings): string {
  const cursor = { text, env, settings, escapeWith: settings.escape ?? '\\', at: 0, depth: 0 };
  return until(cursor, undefined, false);
}

/** Reads to the end, or to an unescaped `stop`; `rawEscapes` leaves escapes in the text for a pattern. */
function until(cursor: Cursor, stop: string | undefined, rawEscapes: boolean): string {
  if (++cursor.depth > MAX_DEPTH) throw bad(cursor, 'substitutions are nested too deeply');
  const words = cursor.depth === 1 ? cursor.settings.words : undefined;
  let result = '';
  while (cursor.at < cursor.text.length) {
    const character = next(cursor);
    if (character === stop) {
      cursor.depth--;
      return result;
    }
    const held = character === '$' ? undefined : heldPiece(cursor, character, rawEscapes);
    const value = held ?? (character === '$' ? dollar(cursor) : character);
    result = longer(cursor, result, value);
    if (held === undefined) words?.split(value);
    else words?.keep(value);
  }
  if (stop !== undefined) throw bad(cursor, `missing "${stop}" in \${}`);
  cursor.depth--;
  return result;
}

/** What quotes or an escape hold together; undefined where there are none. */
function heldPiece(cursor: Cursor, character: string, rawEscapes: boolean): string | undefined {
  if (character === cursor.escapeWith) {
    return (rawEscapes ? character : '') + (cursor.at < cursor.text.length ? next(cursor) : '');
  }
  if (!cursor.settings.quotes) return undefined;
  if (character === '"') return doubleQuoted(cursor, rawEscapes);
  return character === "'" ? singleQuoted(cursor) : undefined;
}

/** Values of values grow without bounds in a few lines (`ARG a=$a$a`); no system takes so long ones. */
function longer(cursor: Cursor, text: string, more: string): string {
  if (text.length + more.length <= MAX_GROWTH + 2 * cursor.text.length) return text + more;
  const message = `the value is longer than ${MAX_GROWTH} characters`;
  throw new BuildError('parse', message, { hint: 'Use a shorter value for its variables.' });
}

function singleQuoted(cursor: Cursor): string {
  const end = cursor.text.indexOf("'", cursor.at);
  if (end < 0) throw bad(cursor, 'a single quote is not closed');
  const value = cursor.text.slice(cursor.at, end);
  cursor.at = end + 1;
  return value;
}

function doubleQuoted(cursor: Cursor, rawEscapes: boolean): string {
  let result = '';
  while (cursor.at < cursor.text.length) {
    const character = next(cursor);
    if (character === '"') return result;
    if (character === '$') result = longer(cursor, result, dollar(cursor));
    else if (character === cursor.escapeWith) result += escapedInQuotes(cursor, rawEscapes);
    else result += character;
  }
  throw bad(cursor, 'a double quote is not closed');
}

/** Inside double quotes only `"`, `$` and the escape itself can be escaped. */
function escapedInQuotes(cursor: Cursor, rawEscapes: boolean): string {
  const following = cursor.text[cursor.at];
  const escapes = following === '"' || following === '$' || following === cursor.escapeWith;
  const kept = rawEscapes ? cursor.escapeWith : '';
  if (escapes) return kept + next(cursor);
  return following === undefined ? '' : kept + cursor.escapeWith;
}

/** What follows a `$`: a name, a braced substitution, or nothing that means anything. */
function dollar(cursor: Cursor): string {
  const start = cursor.at - 1;
  if (cursor.text[cursor.at] === '{') {
    cursor.at++;
    return braced(cursor, start);
  }
  const name = readName(cursor);
  return name === '' ? '$' : (lookUp(cursor, name, start) ?? '');
}

function braced(cursor: Cursor, start: number): string {
  const name = readName(cursor);
  if (name === '') throw bad(cursor, 'bad substitution', 'A name must follow ${.');
  const operator = cursor.at < cursor.text.length ? next(cursor) : '';
  if (operator === '}') return lookUp(cursor, name, start) ?? '';
  if (operator === '/') return replaced(cursor, name, start);
  if (operator === '#' || operator === '%') return trimmed(cursor, name, operator, start);
  const colon = operator === ':';
  const modifier = colon ? (cursor.text[cursor.at++] ?? '') : operator;
  if (modifier === '' || operator === '') throw bad(cursor, "missing '}'");
  if (!'-+?'.includes(modifier)) throw unsupported(cursor, operator + (colon ? modifier : ''));
  const word = until(cursor, '}', false);
  const value = lookUp(cursor, name, start);
  const missing = value === undefined || (colon && value === '');
  if (modifier === '-') return missing ? word : value;
  if (modifier === '+') return missing ? '' : word;
  if (!missing) return value;
  const message = word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`;
  throw new BuildError('parse', `${name}: ${message}`, {
    about: name,
    hint: `Give it a value: ARG ${name}=…, ENV ${name}=…, or --build-arg ${name}=… where an ARG declares it.`,
  });
}

function trimmed(cursor: Cursor, name: string, operator: '#' | '%', start: number): string {
  const longest = cursor.text[cursor.at] === operator;
  if (longest) cursor.at++;
  const pattern = until(cursor, '}', true);
  const value = lookUp(cursor, name, start) ?? '';
  const options = { longest, fail: (message: string) => bad(cursor, message) };
  return operator === '#' ? removePrefix(value, pattern, options) : removeSuffix(value, pattern, options);
}

function replaced(cursor: Cursor, name: string, start: number): string {
  const all = cursor.text[cursor.at] === '/';
  if (all) cursor.at++;
  const pattern = until(cursor, '/', true);
  const replacement = until(cursor, '}', true);
  const value = lookUp(cursor, name, start) ?? '';
  return replacePattern(value, pattern, { replacement, all, fail: (message) => bad(cursor, message) });
}

/** The value of a name; the cursor stands behind its use. */
function lookUp(cursor: Cursor, name: string, start: number): string | undefined {
  cursor.settings.onVariable?.({ name, start, end: cursor.at });
  const value = valueIn(cursor.env, name);
  if (value === undefined) cursor.settings.onUnset?.(name);
  return value;
}

const NAME = /(?:\p{Nd}+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*)/uy;

/** Letters, digits and underscores; or digits alone; or one of the shell's special parameters. */
function readName(cursor: Cursor): string {
  NAME.lastIndex = cursor.at;
  const name = NAME.exec(cursor.text)?.[0] ?? '';
  scanned(name.length + 1);
  cursor.at += name.length;
  return name;
}

function next(cursor: Cursor): string {
  const character = String.fromCodePoint(cursor.text.codePointAt(cursor.at)!);
  cursor.at += character.length;
  scanned(1);
  return character;
}

function bad(cursor: Cursor, reason: string, hint?: string): BuildError {
  const message = `cannot expand ${JSON.stringify(cursor.text)}: ${reason}`;
  return new BuildError('parse', message, hint === undefined ? {} : { hint });
}

function unsupported(cursor: Cursor, modifier: string): BuildError {
  const hint =
    'Inside the braces there may be v, v:-w, v:+w, v:?w (also without the colon), v#p, v%p and v/p/r.';
  return bad(cursor, `unsupported modifier (${modifier}) in substitution`, hint);
}
