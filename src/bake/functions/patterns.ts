import { runInNewContext } from 'node:vm';
import { textOf, type Value } from '../hcl/value.ts';
import { type Functions, unfit } from './function.ts';

/** Regular expressions, in RE2's spelling as far as ours has the same. */
export const patternFunctions: Functions = {
  regex: [2, 2, (pattern, text) => firstMatch(textOf(pattern!), textOf(text!))],
  regexall: [2, 2, (pattern, text) => allMatches(textOf(pattern!), textOf(text!))],
  regex_replace: [3, 3, (text, pattern, other) => replaced(textOf(text!), textOf(pattern!), textOf(other!))],
  semvercmp: [2, 2, (a, b) => compareVersions(textOf(a!), textOf(b!))],
};

function firstMatch(pattern: string, text: string): Value {
  const expression = compile(pattern);
  const match = inTime(() => expression.exec(text));
  if (match === null) throw unfit('the pattern does not match');
  return matchOf(match);
}

function allMatches(pattern: string, text: string): Value {
  const expression = compile(pattern);
  return inTime(() => [...text.matchAll(expression)]).map(matchOf);
}

/** The whole match, or its groups: by their names where they have some. */
function matchOf(match: RegExpExecArray): Value {
  if (match.groups !== undefined)
    return new Map(Object.entries(match.groups).map(([name, text]) => [name, text ?? null]));
  return match.length === 1 ? match[0] : match.slice(1).map((text) => (text as string | undefined) ?? null);
}

/** `$1`, `${1}` and `${name}` stand for groups. */
function replaced(text: string, pattern: string, other: string): string {
  const expression = compile(pattern);
  const replacement = (...match: readonly unknown[]): string => {
    const groups = match.at(-1);
    const named = typeof groups === 'object' ? (groups as Readonly<Record<string, string>>) : {};
    return other.replace(/\$(?:\{(\w+)\}|(\w+)|\$)/g, (whole, braced?: string, bare?: string) => {
      const name = braced ?? bare;
      if (name === undefined) return whole.slice(1);
      return /^\d+$/.test(name) ? String(match[Number(name)] ?? '') : (named[name] ?? '');
    });
  };
  return inTime(() => text.replace(expression, replacement));
}

/** What a pattern may take: RE2 never takes long, but ours can be made to search for years, and hears no signal meanwhile. */
const mostMs = 2000;

function inTime<T>(search: () => T): T {
  try {
    return runInNewContext('search()', { search }, { timeout: mostMs }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw unfit('the pattern takes too long');
  }
}

function compile(pattern: string): RegExp {
  const [, flags = '', rest = pattern] = /^\(\?([ims]+)\)(.*)$/s.exec(pattern) ?? [];
  const spelled = rest.replaceAll('(?P<', '(?<').replace(/\\A/g, '^').replace(/\\z/g, '$');
  try {
    return new RegExp(spelled, `gu${flags}`);
  } catch {
    throw unfit(`"${pattern}" is no regular expression`);
  }
}

/** Below, at or above zero, as of semantic versioning. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [versionOf(a), versionOf(b)];
  const numbers = left.numbers.map((one, i) => one - right.numbers[i]!).find((gap) => gap !== 0);
  if (numbers !== undefined) return Math.sign(numbers);
  return comparePre(left.pre, right.pre);
}

function versionOf(text: string): { readonly numbers: readonly number[]; readonly pre: readonly string[] } {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([\w.-]+))?(?:\+[\w.-]+)?$/.exec(text);
  if (match === null) throw unfit(`"${text}" is no version`);
  return { numbers: match.slice(1, 4).map((part) => Number(part ?? 0)), pre: match[4]?.split('.') ?? [] };
}

/** A version without a tail comes after those with one. */
function comparePre(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i], b[i]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    if (left !== right) return compareTails(left, right);
  }
  return 0;
}

function compareTails(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => /^\d+$/.test(text));
  if (left && right) return Math.sign(Number(a) - Number(b));
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : 1;
}
