// Writes what docs/api.md shows of the code: the examples, and the reference from the docstrings of what src/index.ts
// exports. With `--check` it writes nothing, and fails where the page is not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const page = 'docs/api.md';

const text = readFileSync(page, 'utf8');
const current = withReference(withExamples(text));
if (!process.argv.includes('--check')) writeFileSync(page, current);
else if (text !== current) {
  console.error(`${page} is not current: run node scripts/api-page.mjs`);
  process.exitCode = 1;
}

/** A block `js file=NAME` is the example of that name. */
function withExamples(text) {
  return text.replace(/(```js file=(\S+\.mjs)\n)[\s\S]*?```/g, (_, fence, name) => {
    return `${fence}${readFileSync(join('examples', name), 'utf8')}\`\`\``;
  });
}

function withReference(text) {
  const [start, end] = ['<!-- reference -->', '<!-- /reference -->'];
  const reference = exportsOf('src/index.ts').map(section).join('\n');
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no part for the reference`);
  return `${text.slice(0, from + start.length)}\n\n${reference}\n${text.slice(to)}`;
}

/** What a module declares and hands on, functions first. */
function exportsOf(file) {
  const source = readFileSync(file, 'utf8');
  const own = declarationsOf(source);
  const others = [...source.matchAll(/^export (?:type )?\{([^}]*)\} from '(.*)';/gm)].flatMap(
    ([, names, from]) => {
      const wanted = names.split(',').map((name) => name.trim().replace(/^type /, ''));
      const there = declarationsOf(readFileSync(join(dirname(file), from), 'utf8'));
      return wanted.flatMap((name) => there.filter((one) => one.name === name));
    },
  );
  const all = [...own, ...others];
  return [...all.filter(({ kind }) => kind === 'function'), ...all.filter(({ kind }) => kind !== 'function')];
}

/** The formatter sees to it that a declaration ends where a line begins with `}` or ends with `;`. */
function declarationsOf(source) {
  const head =
    /^(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export (?:async )?(function|interface|type|class) (\w+)/gm;
  return [...source.matchAll(head)].map((match) => {
    const [whole, doc, kind, name] = match;
    const start = match.index + whole.lastIndexOf('export ');
    const rest = source.slice(start);
    const end = kind === 'type' ? rest.search(/;\n(?=\n|$)/) + 1 : rest.search(/^\}|\{\}$/m) + 2;
    return { kind, name, doc: proseOf(doc), code: rest.slice(0, end).trim() };
  });
}

/** The text of a docstring, without stars. */
function proseOf(doc = '') {
  const lines = doc.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim());
  return lines
    .join('\n')
    .replace(/(?<=\S)\n(?=\S)/g, ' ')
    .trim();
}

function section({ kind, name, doc, code }) {
  const inherits = /^export interface \w+(?:<\w+>)? extends (.*?) \{/.exec(code)?.[1];
  const lines = [
    `### ${name}`,
    ...(doc === '' ? [] : [doc]),
    ...(kind === 'function' ? [fenced(`${signature(code)};`)] : []),
    ...(kind === 'type' || (inherits ?? '').includes('<') ? [fenced(code.replace(/^export /, ''))] : []),
    ...(/^\w+$/.test(inherits ?? '') ? [`All of [${inherits}](#${inherits.toLowerCase()}), and:`] : []),
    ...(kind === 'interface' || kind === 'class' ? [tableOf(code)] : []),
  ];
  return `${lines.filter((line) => line !== '').join('\n\n')}\n`;
}

function signature(code) {
  return code.replace(/^export (?:async )?/, '').replace(/ \{\n[\s\S]*$/, '');
}

function fenced(code) {
  return `\`\`\`ts\n${code}\n\`\`\``;
}

/** The fields, those that may be absent with a question mark. */
function tableOf(code) {
  const field = /^ {2}(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2})?readonly (\w+\??): ([\s\S]*?);$/gm;
  const rows = [...code.matchAll(field)].map(([, doc, name, type]) => {
    const cells = [`\`${name}\``, `\`${typeOf(type)}\``, [proseOf(doc), ...meanings(type)].join(' ').trim()];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  });
  return rows.length === 0 ? '' : ['| field | type | |', '|---|---|---|', ...rows].join('\n');
}

function typeOf(code) {
  return code
    .replace(/\/\*\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^\| /, '');
}

/** What is said of single values of a type. */
function meanings(code) {
  return [...code.matchAll(/\/\*\* (.*?) \*\/\s*\| '([^']*)'/g)].map(
    ([, text, value]) => `\`${value}\`: ${text}`,
  );
}
