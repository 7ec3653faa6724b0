import { envRecord, withDefaultPath } from '../../src/containerfile/predefined.ts';
import { type Reset, resetsOf } from '../../src/containerfile/reset.ts';
import type { FromInstruction } from '../../src/containerfile/types.ts';
import type { Snapshot } from '../../src/core/types.ts';
import { edited, type StageState } from '../state.ts';
import { settingsOf, withSettings } from './config.ts';

/**
 * `FROM --reset=…`: what a stage starts with, without what it does not want of its base. A variable that goes is no
 * longer known to words and RUNs either, unless an ARG of that name is in scope; a PATH that goes is the usual one.
 */
export function afterReset(state: StageState, { reset }: FromInstruction): StageState {
  if (reset === undefined) return state;
  const resets = resetsOf(reset);
  const before = settingsOf(state.candidates[0]!.snapshot).Env ?? [];
  const next = edited(state, (snapshot) => reduced(snapshot, resets));
  const after = envRecord(settingsOf(next.candidates[0]!.snapshot).Env ?? []);
  const gone = Object.keys(envRecord(before)).filter((name) => !Object.hasOwn(after, name));
  const vars = new Map([...state.vars, ...Object.entries(after)]);
  for (const name of gone) if (!state.args.includes(name)) vars.delete(name);
  return { ...next, vars };
}

function reduced(snapshot: Snapshot, resets: readonly Reset[]): Snapshot {
  const { Env, Volumes, ExposedPorts } = settingsOf(snapshot);
  const env = (Env ?? []).filter((entry) => !isReset(resets, 'env', entry.split('=', 1)[0]!));
  return withSettings(snapshot, {
    Env: withDefaultPath(env),
    Volumes: without(Volumes, (name) => isReset(resets, 'volume', name)),
    ExposedPorts: without(ExposedPorts, (name) => isReset(resets, 'expose', name)),
  });
}

/** Undefined for a set that is or becomes empty. */
function without(
  present: Readonly<Record<string, object>> | undefined,
  goes: (name: string) => boolean,
): Record<string, object> | undefined {
  const kept = Object.entries(present ?? {}).filter(([name]) => !goes(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function isReset(resets: readonly Reset[], kind: Reset['kind'], name: string): boolean {
  return resets.some((one) => one.kind === kind && (one.name === undefined || one.name === name));
}
