import { suggestion } from '../core/errors.ts';
import { copy } from './copy.ts';
import { checkedFlags, offError } from './flags.ts';
import { healthcheck } from './healthcheck.ts';
import { withBodies } from './heredoc.ts';
import { resetsOf } from './reset.ts';
import { run } from './run.ts';
import {
  argsText,
  blankArguments,
  commandLine,
  failure,
  jsonArguments,
  missingArgument,
  onlyArgument,
  type Statement,
  takeApart,
  wordOf,
} from './statement.ts';
import type { ArgInstruction, EnvInstruction, FromInstruction, Instruction, PartsOf, Word } from './types.ts';
import { quotedWords, type Span } from './words.ts';

type AnyParts = PartsOf<Instruction | FromInstruction>;

const readers: Readonly<Record<string, (statement: Statement) => AnyParts>> = {
  from,
  arg,
  env: (statement) => pairs(statement, 'env'),
  label: (statement) => pairs(statement, 'label'),
  run,
  copy: (statement) => copy(statement, 'copy'),
  add: (statement) => copy(statement, 'add'),
  cmd: (statement) => command(statement, 'cmd'),
  entrypoint: (statement) => command(statement, 'entrypoint'),
  workdir: (statement) => single(statement, 'workdir'),
  user: (statement) => single(statement, 'user'),
  stopsignal: (statement) => single(statement, 'stopsignal'),
  expose,
  volume,
  shell,
  healthcheck: (statement) => {
    const check = healthcheck(statement);
    return { kind: 'healthcheck', ...(check !== undefined && { check }) };
  },
  onbuild,
  maintainer,
};

/** The keywords of the language, as people write them. */
const keywords: readonly string[] = Object.keys(readers).map((name) => name.toUpperCase());

/** Gives a statement its meaning. Fails with `parse`, located at the word that is wrong. */
export function instructionOf(statement: Statement): Instruction | FromInstruction {
  const reader = Object.hasOwn(readers, statement.keyword) ? readers[statement.keyword] : undefined;
  if (reader === undefined) {
    const { start, end } = statement.keywordSpan;
    const written = statement.line.text.slice(start, end);
    if (statement.keyword === 'include') {
      throw offError(statement, statement.keywordSpan, { what: 'INCLUDE', extension: 'include' });
    }
    const hint = suggestion(written.toUpperCase(), keywords);
    throw failure(statement, statement.keywordSpan, `unknown instruction: ${written}`, hint);
  }
  const { range, comments, line } = statement;
  const keyword = wordOf(statement, statement.keywordSpan);
  const common = { range, source: line.display, comments, keyword, emptyLines: line.emptyLines };
  return Object.assign(reader(statement), common);
}

function from(statement: Statement): PartsOf<FromInstruction> {
  const flags = checkedFlags(statement);
  const words = blankArguments(statement).map((span) => wordOf(statement, span));
  const [image, as, name] = words;
  if (image === undefined || (words.length !== 1 && (words.length !== 3 || !/^as$/i.test(as!.text)))) {
    throw missingArgument(statement, 'either one or three arguments: FROM image [AS name]');
  }
  const platform = flags.text('platform');
  const reset = flags.text('reset');
  if (reset !== undefined) resetsOf(reset);
  return {
    kind: 'from',
    image,
    ...(name !== undefined && {
      name: stageName(statement, name, blankArguments(statement)[2]!),
      as: as!,
      alias: name,
    }),
    ...(platform !== undefined && { platform }),
    ...(reset !== undefined && { reset }),
  };
}

function stageName(statement: Statement, word: Word, span: Span): string {
  const name = word.text.toLowerCase();
  if (/^[a-z][a-z0-9-_.]*$/.test(name)) return name;
  const hint = 'A name begins with a letter and holds letters, digits, - _ and . only.';
  throw failure(statement, span, `invalid name for build stage: "${word.text}"`, hint);
}

function arg(statement: Statement): PartsOf<ArgInstruction> {
  checkedFlags(statement);
  const { line, args } = statement;
  const spans = quotedWords(line.text.slice(0, args.end), args.start, statement.escape);
  if (spans.length === 0) throw missingArgument(statement, 'at least one argument');
  return { kind: 'arg', args: spans.map((span) => argument(statement, span)) };
}

function argument(statement: Statement, span: Span): ArgInstruction['args'][number] {
  const { text } = statement.line;
  const equals = text.slice(span.start, span.end).indexOf('=');
  const nameEnd = equals < 0 ? span.end : span.start + equals;
  const name = text.slice(span.start, nameEnd).replace(/^(["'])(.*)\1$/, '$2');
  if (name === '') throw failure(statement, span, 'ARG names can not be blank', 'Write ARG NAME=value.');
  const { range } = wordOf(statement, { start: span.start, end: nameEnd });
  if (equals < 0) return { name, range };
  return { name, range, value: wordOf(statement, { start: nameEnd + 1, end: span.end }) };
}

/** `name=value …`, or the legacy `name the whole rest` where the first word holds no `=`. */
function pairs(statement: Statement, kind: 'env' | 'label'): PartsOf<EnvInstruction> {
  checkedFlags(statement);
  const { line, args } = statement;
  const spans = quotedWords(line.text.slice(0, args.end), args.start, statement.escape);
  const first = spans[0];
  if (first === undefined) throw missingArgument(statement, 'at least one argument');
  if (!line.text.slice(first.start, first.end).includes('=')) {
    return { kind, pairs: [legacyPair(statement)], legacy: true };
  }
  return { kind, pairs: spans.map((span) => pair(statement, span)), legacy: false };
}

function pair(statement: Statement, span: Span): { name: Word; value: Word } {
  const keyword = statement.keyword.toUpperCase();
  const word = statement.line.text.slice(span.start, span.end);
  const equals = word.indexOf('=');
  if (equals < 0) {
    const hint = `Write ${keyword} name=value, with quotes around a value that holds blanks.`;
    throw failure(statement, span, `can't find = in ${JSON.stringify(word)}`, hint);
  }
  if (equals === 0)
    throw failure(statement, span, `${keyword} names can not be blank`, `Write ${keyword} NAME=value.`);
  return {
    name: wordOf(statement, { start: span.start, end: span.start + equals }),
    value: wordOf(statement, { start: span.start + equals + 1, end: span.end }),
  };
}

function legacyPair(statement: Statement): { name: Word; value: Word } {
  const { args } = statement;
  const match = /^([^\t\v\f\r ]+)[\t\v\f\r ]+/.exec(argsText(statement));
  if (match === null) {
    const name = statement.keyword.toUpperCase();
    throw failure(statement, args, `${name} must have two arguments`, `Write ${name} name=value.`);
  }
  return {
    name: wordOf(statement, { start: args.start, end: args.start + match[1]!.length }),
    value: wordOf(statement, { start: args.start + match[0].length, end: args.end }),
  };
}

function command<Kind extends 'cmd' | 'entrypoint'>(statement: Statement, kind: Kind) {
  checkedFlags(statement);
  return { kind, command: commandLine(statement) };
}

function single<Kind extends 'workdir' | 'user' | 'stopsignal'>(statement: Statement, kind: Kind) {
  checkedFlags(statement);
  return { kind, words: [onlyArgument(statement)] };
}

function maintainer(statement: Statement): AnyParts {
  checkedFlags(statement);
  return { kind: 'maintainer', name: onlyArgument(statement).text };
}

/** Ports in the order of their text, which is the order the reference expands them in. */
function expose(statement: Statement): AnyParts {
  checkedFlags(statement);
  const words = blankArguments(statement).map((span) => wordOf(statement, span));
  if (words.length === 0) throw missingArgument(statement, 'at least one argument');
  return { kind: 'expose', words: words.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)) };
}

function volume(statement: Statement): AnyParts {
  checkedFlags(statement);
  const words = jsonArguments(statement) ?? blankArguments(statement).map((span) => wordOf(statement, span));
  if (words.length === 0) throw missingArgument(statement, 'at least one argument');
  if (words.some(({ text }) => text.trim() === '')) {
    throw failure(statement, statement.args, 'VOLUME specified can not be an empty string');
  }
  return { kind: 'volume', words: words.map((word) => ({ ...word, text: word.text.trim() })) };
}

function shell(statement: Statement): AnyParts {
  checkedFlags(statement);
  const args = jsonArguments(statement);
  if (args === undefined) {
    const hint = 'Write SHELL ["/bin/bash", "-c"], with double quotes.';
    throw failure(statement, statement.args, 'SHELL requires the arguments to be in JSON form', hint);
  }
  if (args.length === 0) throw missingArgument(statement, 'at least one argument');
  return { kind: 'shell', args: args.map(({ text }) => text) };
}

/** The trigger is checked as the instruction it will be, so that a mistake shows now and not in a later build. */
function onbuild(statement: Statement): AnyParts {
  checkedFlags(statement);
  if (argsText(statement) === '') throw missingArgument(statement, 'at least one argument');
  const apart = takeApart(statement.line, statement.args.start);
  const inner = { ...statement, ...apart, extensions: undefined };
  checkTrigger(inner);
  instructionOf(inner);
  return { kind: 'onbuild', trigger: argsText(statement) + withBodies(statement.heredocs) };
}

/** Fails for what no ONBUILD may trigger. */
export function checkTrigger(statement: Statement): void {
  const name = statement.keyword.toUpperCase();
  if (name === 'ONBUILD') {
    throw failure(statement, statement.keywordSpan, 'chaining ONBUILD via ONBUILD ONBUILD is not allowed');
  }
  if (name === 'FROM' || name === 'MAINTAINER') {
    throw failure(statement, statement.keywordSpan, `${name} is not allowed as an ONBUILD trigger`);
  }
}
