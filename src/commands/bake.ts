import type { Definition } from '../bake/definition.ts';
import { entryTexts } from '../bake/entries.ts';
import { inRepository, type RepositoryFolder } from '../bake/in-repository.ts';
import { printed } from '../bake/print.ts';
import { readDefinition } from '../bake/read.ts';
import { linksOf, type Selection, select } from '../bake/select.ts';
import type { Settings } from '../bake/settings.ts';
import type { BakeFile } from '../bake/source.ts';
import { formatPlatform, hostPlatform } from '../core/platform.ts';
import { cleanLine } from '../report/clean.ts';
import { composeSource, type FileSource, findBakeFiles, localFiles, readBakeFiles } from './bake-files.ts';

export type { BakeFile, Definition, RepositoryFolder, Selection, Settings };
export { entryTexts, inRepository, linksOf, localFiles, printed, select };

/** What `bake` is told of its files and of the world around them. */
export interface BakeRequest {
  /** Paths, `-` for stdin; none stands for those of the folder. */
  readonly files: readonly string[];
  /** Every `--var`, by name. */
  readonly variables: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warn: (text: string) => void;
  /** Is told each file that was read. */
  readonly onFile: (file: BakeFile) => void;
  /** Where the files lie; by default in `cwd`. */
  readonly from?: FileSource;
  /** Where the files lie that those files name; by default where they lie themselves. */
  readonly named?: FileSource;
}

/** Reads the bake files that a request means. Fails with `not-found` or `parse`. */
export async function readBake(request: BakeRequest): Promise<Definition> {
  const { files, variables, cwd, env, warn, onFile, from = localFiles(cwd), named = from } = request;
  const read = await readBakeFiles(files.length > 0 ? files : findBakeFiles(from.has), from);
  for (const file of read) onFile(file);
  const seen = { ...env, ...variables };
  return await readDefinition(read, {
    given: {
      values: variables,
      env,
      builtIn: { BAKE_CMD_CONTEXT: 'cwd://', BAKE_LOCAL_PLATFORM: formatPlatform(hostPlatform()) },
    },
    compose: composeSource({ folder: cwd, env: seen, files: named, warn }),
  });
}

/** What a definition has to offer, as a table. */
export function listing(definition: Definition, what: 'targets' | 'variables'): string {
  const rows = what === 'targets' ? targetRows(definition) : variableRows(definition);
  const clean = rows.map((row) => row.map((cell) => cleanLine(cell)));
  const widths = clean[0]!.map((_, column) => Math.max(...clean.map((row) => row[column]!.length)));
  return clean.map((row) => lineOf(row, widths)).join('');
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, i) => cell.padEnd(widths[i]! + 3));
  return `${padded.join('').trimEnd()}\n`;
}

/** The same as JSON. */
export function listingJson(
  { groups, targets, variables }: Definition,
  what: 'targets' | 'variables',
): object {
  if (what === 'variables') return variables;
  const all = [
    ...[...groups].map(([name, group]) => ({
      name,
      group: true,
      targets: group.targets,
      ...described(group),
    })),
    ...[...targets].map(([name, settings]) => ({ name, ...described(settings) })),
  ];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function described({ description }: { readonly description?: string }): { readonly description?: string } {
  return description === undefined ? {} : { description };
}

function targetRows({ groups, targets }: Definition): string[][] {
  const rows = [
    ...[...groups].map(([name, group]) => [name, group.description ?? group.targets.join(', ')]),
    ...[...targets]
      .filter(([name]) => !groups.has(name))
      .map(([name, { description = '' }]) => [name, description]),
  ];
  return [['TARGET', 'DESCRIPTION'], ...rows.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))];
}

function variableRows({ variables }: Definition): string[][] {
  const rows = variables.map(({ name, type = '', value, description = '' }) => {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    return [name, type, shown, description];
  });
  return [['VARIABLE', 'TYPE', 'VALUE', 'DESCRIPTION'], ...rows];
}
