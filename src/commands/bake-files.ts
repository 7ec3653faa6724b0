import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseEnvFile } from '../bake/compose/env-file.ts';
import type { ComposeSource } from '../bake/compose/load.ts';
import type { BakeFile } from '../bake/source.ts';
import { BuildError, errnoOf } from '../core/errors.ts';
import { own } from '../core/own.ts';
import { shownPath } from '../core/paths.ts';
import { readText, readTextStream } from '../core/text-file.ts';

/** Names of Compose files, of which the first that is there counts, and of what is laid over it. */
const COMPOSE = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const COMPOSE_OVERRIDE = [
  ...['compose.override.yaml', 'compose.override.yml'],
  ...['docker-compose.override.yml', 'docker-compose.override.yaml'],
];
const BAKE = ['docker-bake.json', 'docker-bake.hcl', 'docker-bake.override.json', 'docker-bake.override.hcl'];

/** The bake files of a folder, where none is named: all that are there, the later over the earlier. Fails with `not-found`. */
export function findBakeFiles(has: (name: string) => boolean): readonly string[] {
  const found = [...COMPOSE, ...BAKE].filter(has);
  if (found.length > 0) return found;
  throw new BuildError('not-found', 'there is no bake file here', {
    hint: `Name one with -f, or write ${BAKE[1]} or ${COMPOSE[0]}.`,
  });
}

/** The Compose files of a folder or of the nearest one above it. Fails with `not-found`. */
export function findComposeFiles(cwd: string): readonly string[] {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const [file] = present(folder, COMPOSE);
    const [over] = present(folder, COMPOSE_OVERRIDE);
    if (file !== undefined) return [file, over].flatMap((path) => path ?? []);
    if (folder === dirname(folder)) break;
  }
  throw new BuildError('not-found', 'there is no Compose file here', {
    hint: `Name one with -f, or write ${COMPOSE[0]}.`,
  });
}

function present(folder: string, names: readonly string[]): readonly string[] {
  return names.map((name) => resolve(folder, name)).filter((path) => existsSync(path));
}

/** Where the files of a definition lie. */
export interface FileSource {
  readonly has: (name: string) => boolean;
  /** Fails with `not-found` or `context`. */
  readonly read: (path: string) => BakeFile;
}

/** Files of a folder of this machine; `cwd://` in front of a path says nothing here. */
export function localFiles(folder: string): FileSource {
  return {
    has: (name) => existsSync(resolve(folder, name)),
    read: (path) => readOne(path.replace(/^cwd:\/\//, ''), folder),
  };
}

/** The texts of files; `-` is stdin. Fails with `not-found` or `context`. */
export async function readBakeFiles(
  paths: readonly string[],
  from: FileSource,
): Promise<readonly BakeFile[]> {
  const files: BakeFile[] = [];
  for (const path of paths) files.push(path === '-' ? await fromStdin() : from.read(path));
  return files;
}

async function fromStdin(): Promise<BakeFile> {
  return { name: '-', text: await readTextStream(process.stdin, 'the bake file on stdin') };
}

/** Where the Compose files of a project find what they name, from the project's folder. */
export function composeSource({ folder, env, envFiles, files, warn }: ComposeWorld): ComposeSource {
  const paths = envFiles ?? present(folder, ['.env']);
  const known = new Map<string, string>();
  const lookup = (name: string): string | undefined => own(env, name) ?? known.get(name);
  for (const path of paths)
    for (const [name, value] of parseEnvFile(readOne(path, folder), lookup)) known.set(name, value);
  return { lookup, read: (files ?? localFiles(folder)).read, warn };
}

interface ComposeWorld {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Files of variables, in place of `.env` in the project's folder. */
  readonly envFiles?: readonly string[] | undefined;
  /** What they name, where that does not lie in the folder. */
  readonly files?: FileSource | undefined;
  readonly warn: ComposeSource['warn'];
}

function readOne(path: string, folder: string): BakeFile {
  const absolute = resolve(folder, path);
  const name = shownPath(absolute);
  try {
    return { name, text: readText(absolute, name) };
  } catch (error) {
    if (error instanceof BuildError) throw error;
    const what = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${errnoOf(error)})`;
    throw new BuildError('not-found', `the file ${name} ${what}`, {
      cause: error,
      hint: 'Paths start from the current folder.',
    });
  }
}
