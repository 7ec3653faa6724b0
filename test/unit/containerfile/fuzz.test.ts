import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { analyse } from '../../../src/containerfile/analyse.ts';
import type { Include } from '../../../src/containerfile/types.ts';
import { BuildError, type SourceRange } from '../../../src/core/errors.ts';

const ROUNDS = 10_000;

/** A seed of the day's run; `FUZZ_SEED=n` repeats one. */
const firstSeed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000_000);

const platform = { os: 'linux', architecture: 'amd64' };
const enable = ['include', 'reset', 'optional-copy', 'errexit-heredocs'];

/** What texts are spoilt with, and made of. */
const bits = [
  ...[
    '<<E',
    '<<-"E"',
    '\nE\n',
    '\\\n',
    '`\n',
    '"',
    "'",
    '$',
    '${',
    '}',
    ':-',
    '//',
    '#',
    '%%',
    '--',
    '[',
    ']',
    '{',
  ],
  ...[
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    ' ',
    '\t',
    '\v',
    '\0',
    '\uFEFF',
    '\ud800',
    '😀',
    '\u2028',
    '=',
    ',',
    ':',
    '@',
    '1',
  ],
  ...[
    'FROM ',
    'FROM a AS b\n',
    ' AS ',
    'RUN ',
    'ENV ',
    'LABEL ',
    'ARG ',
    'ARG X=$X$X\n',
    'COPY --from=b ',
    'ADD ',
  ],
  ...[
    'ONBUILD ',
    'INCLUDE x\n',
    'HEALTHCHECK ',
    'SHELL [',
    'EXPOSE 80-90/tcp ',
    'VOLUME ',
    'STOPSIGNAL ',
    'USER ',
  ],
  ...[
    '--mount=type=cache,',
    '--platform=',
    '--link=',
    '--exclude=',
    '--reset=env:',
    '--optional',
    '--interval=1s',
  ],
  ...[
    '# escape=`\n',
    '# syntax=x\n',
    '# check=skip=all\n',
    '# tsbuild: include\n',
    '// syntax=x\n',
    '["a", "b"]',
  ],
];

function randomFrom(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function corpus(): string[] {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const read = (path: string): string => readFileSync(path, 'utf8');
  const cases = read(`${root}/testdata/containerfile/parse.cases`).split(/^===.*\n|^---\n/m);
  const built = readdirSync(`${root}/testdata/build`)
    .map((name) => `${root}/testdata/build/${name}/Containerfile`)
    .filter((path) => existsSync(path));
  const tables = `${root}/../shared/data/parser`;
  const shared = existsSync(tables) ? readdirSync(tables).map((name) => `${tables}/${name}/Dockerfile`) : [];
  return [...cases, ...[...built, ...shared].map(read)];
}

/** A text of the corpus spoilt in a few places, or one of bits alone; the same for the same seed. */
function textOf(seed: number, texts: readonly string[]): string {
  const random = randomFrom(seed);
  const bit = (): string => bits[random(bits.length)]!;
  if (random(4) === 0) return Array.from({ length: random(40) }, bit).join('');
  let text = texts[random(texts.length)]!;
  for (let i = random(6); i >= 0; i--) {
    const at = random(text.length + 1);
    const other = texts[random(texts.length)]!;
    const put = [bit(), '', other.slice(random(other.length)).slice(0, 80)][random(3)]!;
    text = text.slice(0, at) + put + text.slice(at + random(8));
  }
  return text;
}

/** What is wrong with a range: it must lie within its text. */
function misplaced(range: SourceRange, files: ReadonlyMap<string, string>): string | undefined {
  const text = files.get(range.file);
  if (text === undefined) return 'it is of no file';
  const lines = text.split('\n');
  const { startLine, startColumn, endLine, endColumn } = range;
  if (startLine < 1 || startColumn < 1 || endLine < startLine) return 'it begins nowhere';
  if (endLine === startLine && endColumn < startColumn) return 'it ends before it begins';
  if (endLine > lines.length) return 'it ends below the text';
  if (startColumn > lines[startLine - 1]!.length + 1) return 'it begins behind its line';
  return endColumn > lines[endLine - 1]!.length + 1 ? 'it ends behind its line' : undefined;
}

const included = 'RUN x\nENV a="b\nINCLUDE y\nCOPPY';

/** The first thing that is not as it must be. */
function mistakeIn(text: string): string | undefined {
  const include: Include = (path) => {
    if (path.includes('/')) throw new BuildError('not-found', 'no such file');
    return { file: 'included', text: included };
  };
  const {
    containerfile,
    errors,
    graphs: [graph],
  } = analyse(text, 'f', {
    buildArgs: {},
    platforms: [platform],
    enable,
    include,
    every: true,
  });
  const files = new Map([['f', containerfile.text], ...containerfile.included]);
  for (const error of errors) {
    if (!(error instanceof BuildError)) return `no BuildError: ${String(error)}`;
    if (error.location === undefined) return `no place: ${error.message}`;
    const wrong = misplaced(error.location, files);
    if (wrong !== undefined) return `${wrong}: ${error.message} ${JSON.stringify(error.location)}`;
  }
  if (errors.length === 0 && graph === undefined) return 'neither a graph nor an error';
  const instructions = containerfile.stages.flatMap((stage) => [stage.from, ...stage.instructions]);
  const ranges = [...instructions, ...containerfile.warnings.map(({ location }) => ({ range: location }))];
  return ranges.map(({ range }) => misplaced(range, files)).find((wrong) => wrong !== undefined);
}

it('gives errors with their places for any text, and never fails otherwise', () => {
  const texts = corpus();
  for (let seed = firstSeed; seed < firstSeed + ROUNDS; seed++) {
    const text = textOf(seed, texts);
    let mistake: string | undefined;
    try {
      mistake = mistakeIn(text);
    } catch (error) {
      mistake = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    expect(mistake, `FUZZ_SEED=${seed}, the text ${JSON.stringify(text)}`).toBeUndefined();
  }
});
