import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../src/core/errors.ts';
import type { ProcessOptions } from '../../src/core/options.ts';
import type { Layer } from '../../src/core/types.ts';
import type { RunChanges } from '../steps/run-changes.ts';
import type { RunInput } from '../steps/run-input.ts';
import type { MountOf, RunMount } from '../steps/run-mounts.ts';

/** A mount without what is only known while the build runs: where its files lie is known by layers. */
export type KeptMount =
  | Exclude<RunMount, { readonly type: 'bind' | 'cache' }>
  | Omit<MountOf<'cache'>, 'source'>
  | (Pick<MountOf<'bind'>, 'type' | 'target' | 'writable'> & {
      readonly path: string;
      readonly layers: readonly Layer[];
    });

/**
 * A step that failed, as it is kept for whoever looks at it later. No secret is in it, no build argument whose name speaks of
 * one, and of proxies that a build argument named nothing.
 */
export interface KeptStep
  extends Omit<RunInput, 'env' | 'hiddenEnv' | 'mounts' | 'freshMounts'>,
    Pick<RunChanges, 'exit' | 'overlaid'> {
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly mounts: readonly KeptMount[];
  /** What it could reach and use. */
  readonly bounds: ProcessOptions;
  readonly exitCode: number;
  /** What was below it. */
  readonly layers: readonly Layer[];
  /** Of the upper directory; 0 once it has become a layer. */
  readonly bytes: number;
  /** What it had changed, once that has become a layer; until then the upper directory lies in the folder. */
  readonly changes?: Layer;
  /** The id mapping under which it ran (`Store.mapping`), and the rung. */
  readonly mapping: string;
  readonly isolation: string;
}

/** Where a build keeps the step that failed. */
export function keptFolder(build: string): string {
  return join(build, 'failed');
}

export function upperIn(folder: string): string {
  return join(folder, 'upper');
}

/** Keeps a step in a folder of its own, and its upper directory, which is moved there. False where one is kept already. */
export function keepStep(folder: string, step: KeptStep, upper: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  renameSync(upper, upperIn(folder));
  rewriteStep(folder, step);
  return true;
}

export function rewriteStep(folder: string, step: KeptStep): void {
  const file = join(folder, FILE);
  writeFileSync(`${file}.new`, JSON.stringify(step), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Undefined where none is kept, or none that can be read. */
export function readStep(folder: string): KeptStep | undefined {
  try {
    const step = JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Partial<KeptStep>;
    return Array.isArray(step.layers) && Array.isArray(step.mounts) ? (step as KeptStep) : undefined;
  } catch {
    return undefined;
  }
}

const FILE = 'step.json';
