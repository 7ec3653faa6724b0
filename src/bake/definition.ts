import type { Settings } from './settings.ts';

/** Targets that are built together. */
export interface Group {
  readonly description?: string;
  /** Names of targets and of other groups. */
  readonly targets: readonly string[];
}

/** A variable, for a listing. */
export interface VariableInfo {
  readonly name: string;
  readonly type?: string;
  readonly value: unknown;
  readonly description?: string;
}

/** What files say, each target as it is written: nothing is inherited yet. */
export interface Definition {
  readonly groups: ReadonlyMap<string, Group>;
  readonly targets: ReadonlyMap<string, Settings>;
  readonly variables: readonly VariableInfo[];
}

export const emptyDefinition: Definition = { groups: new Map(), targets: new Map(), variables: [] };
