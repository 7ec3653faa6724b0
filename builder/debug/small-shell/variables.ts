/** What stands before the names of the step's variables: they are for its programs, and not for Node and its loader. */
export const VARIABLE_PREFIX = 'TSBUILD_STEP_';

/** Gives this process the step's variables in the place of its own. */
export function takeVariables(): void {
  const all = Object.entries(process.env);
  const { TERM } = process.env;
  for (const [name] of all) delete process.env[name];
  if (TERM !== undefined) process.env.TERM = TERM;
  for (const [name, value] of all)
    if (name.startsWith(VARIABLE_PREFIX)) process.env[name.slice(VARIABLE_PREFIX.length)] = value;
}
