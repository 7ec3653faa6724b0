import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, hexOf } from '../src/core/digest.ts';
import type { Ingredients, KeptIngredients } from '../src/core/ingredients.ts';
import { type Home, touch } from './home.ts';
import { openPruned } from './pruned.ts';

/** What all of them may take up; past that, by a quarter, the oldest go. */
const mostBytes = 64e6;

/** A file takes up at least so much of a disk. */
const blockBytes = 4096;

/** Ingredients as a store keeps them. */
export interface IngredientStore extends KeptIngredients {
  /** Counts what this process has put, and keeps the whole within its bound. Cheap where that is not near. */
  settle(): void;
}

/** One JSON file per key, and one text per list of files. */
export function openIngredients(home: Home): IngredientStore {
  const fileOf = (key: Digest): string => home.path('ingredients', `${hexOf(key)}.json`);
  const listOf = (digest: Digest): string => home.path('ingredients', `${hexOf(digest)}.list`);
  const prunedAt = openPruned(home);
  let put = 0;
  const write = (file: string, text: string): void => {
    home.write(file, text);
    put += sizeOnDisk(text.length);
  };
  return {
    find(key) {
      const found = parsed(readBytes(fileOf(key)));
      if (found !== undefined) touch(fileOf(key));
      return found;
    },
    put(key, ingredients, lists) {
      silently(() => {
        const tops = Object.fromEntries(lists.map(({ of, tops }) => [of, tops]));
        write(fileOf(key), JSON.stringify({ ...ingredients, tops } satisfies Ingredients));
        // One that is there is noted as used.
        for (const { of, text } of lists) if (!touch(listOf(of))) write(listOf(of), text);
      });
    },
    list: (files) => readBytes(listOf(files)),
    prunedAt: (digest) => prunedAt(hexOf(digest)),
    settle: () => silently(() => settle(home, put)),
  };
}

/** Takes all of them away; when something was pruned stays known. */
export function forgetIngredients(home: Home): void {
  for (const { path } of filesOf(home)) rmSync(path, { force: true });
}

/** Nothing that only explains may fail a build. */
function silently(task: () => void): void {
  try {
    task();
  } catch {}
}

function readBytes(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** One that cannot be read is none: nothing but an explanation is lost. */
function parsed(bytes: Buffer | undefined): Ingredients | undefined {
  try {
    const value: unknown = JSON.parse(String(bytes));
    return isIngredients(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isIngredients(value: unknown): value is Ingredients {
  const { below, made, facts, tops } = (value ?? {}) as Partial<Ingredients>;
  return [below, made].every(Array.isArray) && [facts, tops].every((one) => typeof one === 'object');
}

/** What is put adds up in a small file; the folder is read only once that is a quarter of the bound. */
function settle(home: Home, put: number): void {
  if (put === 0) return;
  const counter = home.path('ingredients', 'put');
  const sum = put + (Number(readBytes(counter)) || 0);
  if (sum > mostBytes / 4) trim(home);
  home.write(counter, String(sum > mostBytes / 4 ? 0 : sum));
}

interface Kept {
  readonly path: string;
  readonly bytes: number;
  readonly used: number;
  /** What it explains is no longer there. */
  readonly isPast: boolean;
}

/** What explains steps that are still known goes last. */
function trim(home: Home): void {
  const kept = filesOf(home).sort((a, b) => Number(b.isPast) - Number(a.isPast) || a.used - b.used);
  let left = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of kept) {
    if (left <= mostBytes * 0.75) return;
    rmSync(path, { force: true });
    left -= bytes;
  }
}

function filesOf(home: Home): Kept[] {
  const folder = home.path('ingredients', '');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /\.(json|list)$/.test(name))
    .flatMap((name) => {
      const path = join(folder, name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return [];
      const isPast = name.endsWith('.json') && !existsSync(home.path('records', name));
      return [{ path, bytes: sizeOnDisk(stat.size), used: stat.mtimeMs, isPast }];
    });
}

function sizeOnDisk(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}
