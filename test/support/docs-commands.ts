import { parseAllDocuments } from 'yaml';
import { splitCommand } from '../../src/cli/argv.ts';
import { buildCommand } from '../../src/cli/build.ts';
import { commands } from '../../src/cli/commands.ts';
import { parseCommand } from '../../src/cli/parse.ts';

const specs = [buildCommand, ...commands];

/** Fails with `usage` where a command line of ours, its first word `tsbuild`, has a command or a flag that is not there. */
export function checkCommandLine([, ...words]: readonly string[]): void {
  const names = specs.map(({ name }) => name);
  const first = words.find((word) => !word.startsWith('-'));
  if (words.length === 0 || first === undefined || first === 'help') return;
  const { name, args } = splitCommand(words, names);
  parseCommand(specs.find((spec) => spec.name === name)!, args, () => {});
}

/** Every command line of `program` in a shell script, as words; expansions stay as they are written. */
export function commandLinesOf(program: string, script: string): string[][] {
  return simpleCommands(script).flatMap((words) => {
    const at = words.findIndex((word) => !/^\w+=|^(?:sudo|exec|time|then|do|else|if|while|!|\{)$/.test(word));
    return words[at] === program ? [words.slice(at)] : [];
  });
}

/** The documents of a YAML text. Fails where it is none. */
export function readYaml(text: string): unknown[] {
  return parseAllDocuments(text, { strict: true, uniqueKeys: true }).map((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
}

/**
 * What a CI system's or Kubernetes' YAML runs, as shell scripts: `run`, `script` and their kin, `command` with `args`. What
 * the system puts in before a shell sees it (`${{ … }}`, `$[[ … ]]`, `$(params.x)`) is a word.
 */
export function scriptsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(scriptsOf);
  if (typeof value !== 'object' || value === null) return [];
  const own = value as Readonly<Record<string, unknown>>;
  const lines = ['run', 'before_script', 'script', 'after_script'].flatMap((key) => textsIn(own[key]));
  const words = [...textsIn(own.command), ...textsIn(own.args)];
  return [
    ...lines.map(filledIn),
    ...(words.length > 0 ? [asScript(words.map(filledIn))] : []),
    ...Object.values(own).flatMap(scriptsOf),
  ];
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.flatMap(textsIn) : [];
}

function filledIn(text: string): string {
  return text.replace(
    /\$\{\{.*?\}\}|\$\[\[.*?\]\]|\$\((?:params|workspaces|results|context|tasks)\.[^)]*\)/gs,
    'X',
  );
}

function asScript(words: readonly string[]): string {
  const at = words.indexOf('-c');
  if (/(^|\/)(ba)?sh$/.test(words[0] ?? '') && at > 0) return words[at + 1] ?? '';
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

/** Words between operators. Quotes are taken off; `$(…)` is read as a command too, and stays part of its word. */
function simpleCommands(script: string): string[][] {
  const found: string[][] = [[]];
  const token =
    /\\\n|[ \t]+|#[^\n]*|<<-?'?(\w+)'?[\s\S]*?\n\1(?=\n|$)|\n|[;&|()<>]+|(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|\$\([^)]*\)|[^\s;&|()<>\\'"])+/g;
  for (const [text] of script.matchAll(token)) {
    if (/^(\\\n|[ \t]|#|<<)/.test(text)) continue;
    for (const [, inner] of text.matchAll(/\$\(([^)]*)\)/g)) found.unshift(...simpleCommands(inner!));
    if (/^[<>]/.test(text)) found.at(-1)!.push(text);
    else if (/^[\n;&|()]/.test(text)) found.push([]);
    else found.at(-1)!.push(unquoted(text));
  }
  return found.map(withoutRedirections);
}

/** A redirection's target is no argument. */
function withoutRedirections(words: readonly string[]): string[] {
  return words.filter((word, at) => !/^[<>]/.test(word) && !/^[<>]/.test(words[at - 1] ?? ''));
}

function unquoted(word: string): string {
  return word.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs, (_, single, double, escaped) =>
    String(single ?? double ?? escaped),
  );
}
