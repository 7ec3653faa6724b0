import type { Instruction, StageGraph } from '../src/containerfile/types.ts';
import { BuildError } from '../src/core/errors.ts';
import type { BuildOptions } from '../src/core/options.ts';

type Granted = Pick<BuildOptions, 'allow' | 'network'>;

/**
 * Fails for all RUNs that ask for more than the build may give them, before anything is built. What triggers of base
 * images ask for is seen when they come.
 */
export function checkEntitlements({ stages }: StageGraph, granted: Granted): void {
  const errors = stages.flatMap(({ stage }) =>
    stage.instructions.flatMap((instruction) => refused(instruction, granted)?.at(instruction.range) ?? []),
  );
  BuildError.throwAll(errors);
}

/** The same for one instruction; not located. */
export function checkEntitled(instruction: Instruction, granted: Granted): void {
  const error = refused(instruction, granted);
  if (error !== undefined) throw error;
}

function refused(instruction: Instruction, { allow, network }: Granted): BuildError | undefined {
  if (instruction.kind !== 'run') return undefined;
  if (instruction.security === 'insecure' && !allow.includes('security.insecure')) {
    return notAllowed('--security=insecure', 'security.insecure');
  }
  const wantsHost = instruction.network === 'host' && network !== 'host';
  return wantsHost && !allow.includes('network.host')
    ? notAllowed('--network=host', 'network.host')
    : undefined;
}

function notAllowed(flag: string, name: string): BuildError {
  return new BuildError('denied', `RUN ${flag} is not allowed: it needs the entitlement ${name}`, {
    about: flag,
    hint: `Add --allow ${name} to the command if you trust this file.`,
  });
}
