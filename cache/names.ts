import { readdirSync, unlinkSync } from 'node:fs';
import { type Digest, hexOf, isDigest, keyOf } from '../src/core/digest.ts';
import { errnoOf } from '../src/core/errors.ts';
import type { Home } from './home.ts';

/** A name and what it stands for; names with a digest (`host/repository@sha256:…`) are kept the same way. */
interface NameFile {
  readonly name: string;
  readonly id: Digest;
  /** Images for other platforms that the name stands for as well. */
  readonly others?: readonly Digest[];
}

/** All names in the store, by the ids they stand for. */
export function namesById(home: Home): Map<Digest, string[]> {
  const byId = new Map<Digest, string[]>();
  for (const file of filesIn(home, 'names')) {
    const found = home.readJson(home.path('names', file), isNameFile);
    if (found === undefined) continue;
    for (const id of idsOf(found)) byId.set(id, [...(byId.get(id) ?? []), found.name].sort());
  }
  return byId;
}

/** The ids that a name stands for, one per platform; undefined for what is no name of the store. */
export function idsUnder(home: Home, name: string): readonly Digest[] | undefined {
  const named = home.readJson(nameFile(home, name), isNameFile);
  return named?.name === name ? idsOf(named) : undefined;
}

/** Lets a name stand for these images and no others; for none it goes. */
export function setName(home: Home, name: string, ids: readonly Digest[]): void {
  const [id, ...others] = ids;
  const file = nameFile(home, name);
  if (id === undefined) removeFile(file);
  else home.write(file, JSON.stringify({ name, id, ...(others.length > 0 && { others }) }));
}

/** The JSON files of a folder of the store. */
export function filesIn(home: Home, folder: 'images' | 'names'): string[] {
  try {
    return readdirSync(home.path(folder, '')).filter((file) => file.endsWith('.json'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Removes a file that may be gone already. */
export function removeFile(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function nameFile(home: Home, name: string): string {
  return home.path('names', `${hexOf(keyOf(name))}.json`);
}

function idsOf({ id, others = [] }: NameFile): readonly Digest[] {
  return [id, ...others];
}

function isNameFile(value: unknown): value is NameFile {
  const file = value as NameFile | null;
  if (typeof file?.name !== 'string' || !isDigest(String(file.id))) return false;
  const { others = [] } = file;
  return Array.isArray(others) && others.every((id) => isDigest(String(id)));
}
