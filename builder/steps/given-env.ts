import { envHistory } from '../../src/containerfile/history.ts';
import { withEnv } from '../../src/containerfile/predefined.ts';
import { edited, type StageState } from '../state.ts';
import { settingsOf, withHistory, withSettings } from './config.ts';

/** What a stage starts with, with the variables of `--env`: as if an ENV stood below its FROM. */
export function withGivenEnv(state: StageState, env: Readonly<Record<string, string>> = {}): StageState {
  const values = Object.entries(env).map(([name, value]) => ({ name, value }));
  if (values.length === 0) return state;
  const next = edited(state, (snapshot) => {
    const all = withEnv(settingsOf(snapshot).Env ?? [], values);
    return withHistory(withSettings(snapshot, { Env: all }), envHistory('env', values), true);
  });
  return { ...next, vars: new Map([...state.vars, ...Object.entries(env)]) };
}
