import { BuildError, type SourceRange } from '../../core/errors.ts';

/** What variables of a Compose file stand for. */
export type Lookup = (name: string) => string | undefined;

interface Setting {
  readonly lookup: Lookup;
  /** Told of a variable that is not set and has no default. */
  readonly onUnset: (name: string) => void;
}

/**
 * Puts values in place of `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?error}` and `${NAME:+other}`, within each other
 * too; `$$` is a dollar sign. Fails with `parse` where a value is demanded, or a brace is not closed.
 */
export function interpolate(text: string, range: SourceRange, setting: Setting): string {
  let result = '';
  let at = 0;
  for (;;) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return result + text.slice(at);
    result += text.slice(at, dollar);
    const [value, next] = valueAt(text, dollar, { range, setting });
    result += value;
    at = next;
  }
}

interface Where {
  readonly range: SourceRange;
  readonly setting: Setting;
}

/** What stands at a dollar sign, and where the text goes on. */
function valueAt(text: string, dollar: number, where: Where): readonly [string, number] {
  const rest = text.slice(dollar + 1);
  if (rest.startsWith('$')) return ['$', dollar + 2];
  const bare = /^[A-Za-z_]\w*/.exec(rest)?.[0];
  if (bare !== undefined) return [known(bare, where), dollar + 1 + bare.length];
  if (!rest.startsWith('{')) return ['$', dollar + 1];
  const end = closing(text, dollar + 1);
  if (end < 0) throw new BuildError('parse', 'a ${ is not closed', { location: where.range });
  return [braced(text.slice(dollar + 2, end), where), end + 1];
}

function known(name: string, { setting }: Where): string {
  const value = setting.lookup(name);
  if (value === undefined) setting.onUnset(name);
  return value ?? '';
}

/** Where the brace at `open` is closed. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}

function braced(inner: string, where: Where): string {
  const { range, setting } = where;
  const match = /^([A-Za-z_]\w*)(?:(:?[-?+])(.*))?$/s.exec(inner);
  if (match === null)
    throw new BuildError('parse', `\${${inner}} is no variable`, {
      location: range,
      hint: 'Braces hold NAME, NAME:-default or NAME:?message; $$ stands for a dollar sign.',
    });
  const [, name = '', operator, operand = ''] = match;
  if (operator === undefined) return known(name, where);
  const value = setting.lookup(name);
  const isThere = value !== undefined && !(operator.startsWith(':') && value === '');
  const other = (): string => interpolate(operand, range, setting);
  if (operator.endsWith('-')) return isThere ? value : other();
  if (operator.endsWith('+')) return isThere ? other() : '';
  if (isThere) return value;
  throw new BuildError('parse', `the variable ${name} is missing${operand === '' ? '' : `: ${other()}`}`, {
    location: range,
    hint: `Set ${name} in the environment, or in a file .env beside the Compose file.`,
  });
}
