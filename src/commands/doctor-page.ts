import type { Isolation } from '../core/place.ts';
import type { Check } from './doctor-checks.ts';

/** A rung of the ladder here. */
export interface RungState {
  readonly name: Isolation;
  readonly what: string;
  readonly works: boolean;
  readonly chosen: boolean;
  readonly price: string;
  /** Why it cannot be had, and how it could. */
  readonly why?: string;
  readonly remedy?: string;
  /** It is taken only where `--isolation` names it. */
  readonly optIn?: true;
  /** It is not for this person at all. */
  readonly forOthers?: true;
}

export interface Examined {
  readonly rungs: readonly RungState[];
  readonly checks: readonly Check[];
}

/** What was found, as a page of 80 columns: what works, what stands in the way, and what to do about it. */
export function pageOf({ rungs, checks }: Examined): string {
  const own = rungs.filter(({ forOthers }) => forOthers !== true);
  return [
    verdict(rungs, checks),
    ['Isolation of a RUN, best first:', ...own.flatMap(rungLines)],
    ['Besides:', ...checks.flatMap(checkLines)],
    remedyLines([...own, ...checks]),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function verdict(rungs: readonly RungState[], checks: readonly Check[]): string[] {
  const chosen = rungs.find((rung) => rung.chosen);
  const fatal = checks.find((check) => check.fatal);
  if (fatal !== undefined) return wrapped(`Nothing can be built here: ${fatal.text}.`, '');
  if (chosen === undefined) return ['RUN does not work here; builds without RUN do.'];
  const price = chosen.price === '' ? '' : `; ${chosen.price}`;
  const where = chosen.name === 'root' ? 'as' : 'in';
  return wrapped(`RUN works here, ${where} ${chosen.what} (\`${chosen.name}\`)${price}.`, '');
}

const INDENT = ' '.repeat(12);

function rungLines({ name, what, works, chosen, optIn, why }: RungState): string[] {
  const said = chosen ? ' ← chosen' : works && optIn ? ` ← only with --isolation ${name}` : '';
  const line = `  ${works ? '✓' : '✗'} ${name.padEnd(8)}${what}${said}`;
  return [line, ...(why === undefined || why === '' ? [] : wrapped(why, INDENT))];
}

function checkLines({ name, works, text, fatal }: Check): string[] {
  const [first = '', ...rest] = wrapped(text, INDENT);
  const mark = works ? '✓' : fatal === true ? '✗' : '!';
  return [`  ${mark} ${name.padEnd(8)}${first.trimStart()}`, ...rest];
}

/** Each remedy once, for all that it helps. */
function remedyLines(all: readonly { readonly name: string; readonly remedy?: string }[]): string[] {
  const remedies = new Map<string, string[]>();
  for (const { name, remedy } of all) {
    if (remedy !== undefined) remedies.set(remedy, [...(remedies.get(remedy) ?? []), name]);
  }
  if (remedies.size === 0) return [];
  const parts = [...remedies].map(([remedy, names]) => {
    const [text = '', ...commands] = remedy.split('\n');
    const [first = '', ...rest] = wrapped(`${names.join(', ')}: ${text}`, '    ');
    return [first.replace('    ', '  '), ...rest, ...commands.flatMap(commandLines)];
  });
  return ['What helps:', ...parts.flat()];
}

/** A command that is too long goes on behind a backslash, so that it can be copied. */
function commandLines(command: string): string[] {
  const lines = wrapped(command, '      ', WIDTH - 2);
  return lines.map((line, at) => (at === lines.length - 1 ? line : `${line} \\`));
}

const WIDTH = 80;

/** Lines of at most `width` columns, each behind `indent`. */
function wrapped(text: string, indent: string, width = WIDTH): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines;
}
