import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compileIgnore } from '../../../builder/context/ignore-patterns.ts';
import { readDirectives } from '../../../src/containerfile/directives.ts';
import { expandWord, expandWords } from '../../../src/containerfile/expand.ts';
import { instructionOf } from '../../../src/containerfile/instructions.ts';
import { bare, logicalLine, sourceText } from '../../../src/containerfile/lines.ts';
import { argsText, jsonArguments, type Statement, takeApart } from '../../../src/containerfile/statement.ts';

const data = fileURLToPath(new URL('../../../../shared/data', import.meta.url));
const present = existsSync(data);
if (!present)
  console.warn('skipped: the reference tables are not beside this checkout; our own cases run all the same');
const table = (name: string): string => readFileSync(join(data, name), 'utf8');

describe.skipIf(!present)('the reference tables', () => {
  it('expands every row as the reference does', () => {
    const env = { PWD: '/home', SHELL: 'bash', KOREAN: '한국어', NULL: '' };
    const rows = table('shell-expansion.txt')
      .split('\n')
      .filter((line) => /^[AU]\|/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    const results = rows.map(([, source = '']) => [source, attempt(() => expandWord(source, env))]);
    expect(rows).toHaveLength(228);
    expect(results).toEqual(rows.map(([, source, expected]) => [source, expected]));
  });

  it('splits every row into words as the reference does', () => {
    const env: Record<string, string> = {};
    const mistakes: unknown[] = [];
    let rows = 0;
    for (const line of table('shell-words.txt').split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const set = /^ENV ([^=]+)=(.*)$/.exec(line);
      if (set !== null) {
        env[set[1]!] = set[2]!;
        continue;
      }
      rows++;
      const bar = line.indexOf(' | ');
      const [input, wanted] = [line.slice(0, bar), line.slice(bar + 3)];
      const got = attempt(() => expandWords(input.trimStart(), env).join(','));
      if (got !== wanted) mistakes.push({ input, got, wanted });
    }
    expect(mistakes).toEqual([]);
    expect(rows).toBe(24);
  });

  it('matches every ignore pattern as the reference does', () => {
    const { tests } = JSON.parse(table('ignore-match.json')) as { tests: [string, string, boolean][] };
    const results = tests.map(([pattern, path]) => [pattern, path, compileIgnore(pattern).matches(path)]);
    expect(tests.length).toBe(68);
    expect(results).toEqual(tests);
  });

  const cases = present ? readdirSync(join(data, 'parser')) : [];
  it('has every file of the parser', () => expect(cases).toHaveLength(22));

  it.each(cases)('parses %s as the reference does', (name) => {
    const expressions = expressionsOf(table(`parser/${name}/Dockerfile`));
    expect(expressions.map(({ text }) => text)).toEqual(table(`parser/${name}/result`).trimEnd().split('\n'));
    for (const { statement } of expressions) {
      // The reference's parser takes what its later stages refuse; those few are refused here at once.
      if (!/^(healthcheck|copy|cmd)$/.test(statement.keyword)) instructionOf(statement);
    }
  });
});

function attempt(work: () => string): string {
  try {
    return work();
  } catch {
    return 'error';
  }
}

/** The s-expressions of a file, made from the parser's own pieces: what a statement is before its meaning is checked. */
function expressionsOf(text: string): { text: string; statement: Statement }[] {
  const source = sourceText(text, 'Dockerfile');
  const { escape: escapeWith, next } = readDirectives(source);
  const found: { text: string; statement: Statement }[] = [];
  for (let at = next; at < source.lines.length; ) {
    if (/^\s*(#|$)/.test(bare(source.lines[at]!))) {
      at++;
      continue;
    }
    const line = logicalLine(source, at, escapeWith);
    const range = { file: '', startLine: 0, startColumn: 0, endLine: 0, endColumn: 0 };
    const none = { heredocs: [], comments: [], extensions: undefined };
    const statement = { line, escape: escapeWith, range, ...none, ...takeApart(line, 0) };
    found.push({ text: expression(statement), statement });
    at = line.next;
  }
  return found;
}

function expression(statement: Statement): string {
  const { line, flags, keyword } = statement;
  const written = flags.map(({ start, end }) => JSON.stringify(line.text.slice(start, end)));
  const words = wordsOf(statement).map(quoted);
  return `(${[keyword, ...(written.length > 0 ? [`[${written.join(' ')}]`] : []), ...words].join(' ')})`;
}

function wordsOf(statement: Statement): string[] {
  const text = argsText(statement);
  if (text === '') return [];
  const json = jsonArguments(statement);
  if (json !== undefined) return json.map((word) => word.text);
  if (statement.keyword === 'healthcheck') {
    const [, type = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text)!;
    const start = statement.args.end - rest.length;
    const inner = jsonArguments(statement, { start, end: statement.args.end });
    return [type, ...(inner?.map((word) => word.text) ?? (rest === '' ? [] : [rest]))];
  }
  if (/^(env|label)$/.test(statement.keyword)) {
    const one = instructionOf(statement);
    if (one.kind !== 'env' && one.kind !== 'label') return [];
    const sign = /^\S+=/.test(text) ? '=' : '';
    return one.pairs.flatMap(({ name, value }) => [name.text, value.text, sign]);
  }
  return /^(from|copy|add|expose|volume)$/.test(statement.keyword) ? text.split(/\s+/) : [text];
}

/** A string as Go quotes it. */
function quoted(text: string): string {
  const named: Record<string, string> = {
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\0': '\\x00',
  };
  return `"${[...text].map((c) => named[c] ?? (c === '"' || c === '\\' ? `\\${c}` : c)).join('')}"`;
}
