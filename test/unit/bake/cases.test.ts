import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Definition, printed, readBake, select } from '../../../src/commands/bake.ts';
import { BuildError } from '../../../src/core/errors.ts';

/** `case.json` of a folder of testdata/bake. */
interface Case {
  readonly about: string;
  /** Files to read; without it those of the folder. */
  readonly files?: readonly string[];
  /** What is asked for; by default `default`. */
  readonly targets?: readonly string[];
  readonly set?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  /** What is warned of, in order. */
  readonly warnings?: readonly string[];
  /** How it fails; without it, `print.json` beside it is what `--print` shows. */
  readonly error?: {
    readonly code?: string;
    /** A regular expression. */
    readonly message: string;
    readonly hint?: string;
    /** How the place begins: `file:line:column`. */
    readonly at?: string;
  };
}

const root = 'testdata/bake';
const names = readdirSync(root).filter((name) => name !== 'compose');

describe.each(names)('%s', (name) => {
  const folder = join(root, name);
  const { about, error, ...given } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;

  it(about, async () => {
    const warnings: string[] = [];
    const found = await answer(folder, given, warnings).catch((thrown: unknown) => thrown);
    if (error !== undefined) return expectError(found, error, folder);
    if (found instanceof Error) throw found;
    const path = join(folder, 'print.json');
    if (process.env.TSBUILD_TEST_WRITE === '1') writeFileSync(path, `${JSON.stringify(found, null, 2)}\n`);
    expect(JSON.stringify(found, null, 2)).toBe(readFileSync(path, 'utf8').trimEnd());
    expect(warnings).toEqual(given.warnings ?? []);
  });
});

async function answer(folder: string, given: Omit<Case, 'about'>, warnings: string[]): Promise<object> {
  const { files = [], targets = ['default'], set = [], env = {}, variables = {} } = given;
  const definition: Definition = await readBake({
    files,
    variables,
    env,
    cwd: join(process.cwd(), folder),
    warn: (text) => void warnings.push(text),
    onFile: () => {},
  });
  return printed(select(definition, { names: targets, set, env }));
}

function expectError(found: unknown, error: NonNullable<Case['error']>, folder: string): void {
  expect(found).toBeInstanceOf(BuildError);
  const { code, message, hint, location } = found as BuildError;
  expect(message).toMatch(new RegExp(`^${error.code === undefined ? '' : ''}${pattern(error.message)}`));
  expect(code).toBe(error.code ?? code);
  if (error.hint !== undefined) expect(hint).toBe(error.hint);
  if (error.at === undefined) return;
  const { file, startLine, startColumn } = location!;
  expect(`${file.slice(folder.length + 1)}:${startLine}:${startColumn}`).toContain(error.at);
}

/** Brackets and the like stand for themselves, unless the message is meant as a pattern. */
function pattern(text: string): string {
  return /\\|\(|^\.$|\|/.test(text) ? text : text.replace(/[.*+?^${}()[\]]/g, '\\$&');
}
