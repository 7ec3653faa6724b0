import { isPredefinedArg } from './predefined.ts';
import { suggestion } from './statement.ts';
import type { Containerfile, Warning } from './types.ts';

/** Build args that no ARG of the file takes and that mean nothing by themselves. */
export function unusedBuildArgs(
  { stages, globals }: Containerfile,
  buildArgs: Readonly<Record<string, string>>,
): Warning[] {
  const names = Object.keys(buildArgs).filter((name) => !isPredefinedArg(name));
  if (names.length === 0) return [];
  const instructions = [...globals, ...stages.flatMap((stage) => stage.instructions)];
  const declared = new Set(
    instructions.flatMap((one) => (one.kind === 'arg' ? one.args.map(({ name }) => name) : [])),
  );
  const location = (globals[0] ?? stages[0]!.from).range;
  return names
    .filter((name) => !declared.has(name))
    .map((name) => ({
      text: `build arg ${name} is not used: no ARG declares it`,
      location,
      hint: suggestion(name, declared) ?? `Add ARG ${name} where it is wanted.`,
    }));
}
