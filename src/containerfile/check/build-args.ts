import { suggestion } from '../../core/errors.ts';
import { isPredefinedArg } from '../predefined.ts';
import type { Containerfile } from '../types.ts';
import type { Findings } from './findings.ts';

/** Build args that no ARG of the file takes and that mean nothing by themselves. Their values are not told. */
export function warnOfUnusedBuildArgs(
  { stages, globals }: Containerfile,
  buildArgs: Readonly<Record<string, string>>,
  findings: Findings,
): void {
  const first = globals[0] ?? stages[0]?.from;
  if (first === undefined) return;
  const instructions = [...globals, ...stages.flatMap((stage) => stage.instructions)];
  const declared = new Set(
    instructions.flatMap((one) => (one.kind === 'arg' ? one.args.map(({ name }) => name) : [])),
  );
  for (const name of Object.keys(buildArgs)) {
    if (declared.has(name) || isPredefinedArg(name)) continue;
    const text = `build arg ${name} is not used: no ARG declares it`;
    const hint = suggestion(name, declared) ?? `Add ARG ${name} where it is wanted.`;
    findings.warn({ rule: 'UnusedBuildArg', text, location: first.range, hint });
  }
}
