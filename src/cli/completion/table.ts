import type { CommandDefinition, FlagDefinition } from '../definitions.ts';
import { families, firstWords, type Kind, kindOfValue, kindOfWords } from './kinds.ts';

/**
 * What bash and zsh go by: shell functions that print words. A flag is `--name` for a switch, `--name=KIND` with a value
 * and `--name~KIND` with one that may be left out; a kind is `a,b,c`, `@file`, `@images` and so on, or nothing.
 */
export function shellTable(all: readonly CommandDefinition[]): string {
  return [
    `_tsbuild_commands='${firstWords(all).join(' ')} help'`,
    '',
    '_tsbuild_family() {',
    ...cases([...families(all)].map(([word, members]) => [word, members.join(' ')])),
    '}',
    '',
    '_tsbuild_flags() {',
    ...cases(all.map((one) => [one.name, one.flags.flatMap(flagTokens).join(' ')])),
    '}',
    '',
    '_tsbuild_words() {',
    ...cases(all.map((one) => [one.name, kindToken(kindOfWords(one))])),
    '}',
    '',
  ].join('\n');
}

function cases(rows: readonly (readonly [string, string])[]): string[] {
  const lines = rows.map(([name, text]) => `    '${name}') echo '${text}' ;;`);
  return ['  case $1 in', ...lines, '  esac'];
}

function flagTokens({ names, value }: FlagDefinition): string[] {
  if (value === undefined) return [...names];
  const kind = kindToken(kindOfValue(value));
  return names.map((name) => `${name}${value.isOptional ? '~' : '='}${kind}`);
}

function kindToken(kind: Kind): string {
  if (kind.kind === 'words') return kind.words.join(',');
  return kind.kind === 'any' ? '' : `@${kind.kind}`;
}
