import { resolve } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import type { Place } from '../../src/core/place.ts';
import { builtinEngine } from './builtin.ts';
import { ociRuntime, type RuntimeProgram } from './oci-runtime.ts';
import type { Engine } from './plan.ts';
import { whyNoNamespace } from './probe.ts';
import { canAssemble } from './program/assemble.ts';
import { executable, find } from './programs.ts';

export interface Choice {
  readonly engine: Engine;
  /** One sentence: what was chosen, and why. */
  readonly sentence: string;
}

/** Runtimes in the order of preference, and the packages that bring them. */
const preferred = ['crun', 'runc'];

/**
 * The engine for this place: what was asked for (`--runtime`: `builtin`, or a runtime's name or path), else the built-in one,
 * or an OCI runtime on a machine that it does not know. Throws `sandbox` where no namespace could be had, and where
 * no runtime is installed.
 */
export function chooseEngine(place: Place, runtime?: string): Choice {
  if (place.isolation === 'none') throw whyNoNamespace(place);
  const where =
    place.isolation === 'root' ? 'as real root' : 'in a user namespace with ranges from /etc/subuid';
  const why = runtime === undefined ? 'the first that was found' : 'asked for with --runtime';
  if (runtime === 'builtin' || (runtime === undefined && canAssemble())) {
    return { engine: builtinEngine(), sentence: `RUN uses the built-in engine ${where}` };
  }
  const program = runtime === undefined ? firstOf(preferred) : named(runtime);
  return { engine: ociRuntime(program), sentence: `RUN uses ${program.path} ${where} (${why})` };
}

function firstOf(names: readonly string[]): RuntimeProgram {
  for (const name of names) {
    const path = find(name);
    if (path !== undefined) return { name, path };
  }
  throw missing('neither crun nor runc was found on PATH');
}

function named(runtime: string): RuntimeProgram {
  const isPath = runtime.includes('/');
  const path = isPath ? executable(resolve(runtime)) : find(runtime);
  if (path === undefined)
    throw missing(`\`${runtime}\` ${isPath ? 'is no executable file' : 'was not found on PATH'}`);
  return { name: runtime.replace(/^.*\//, ''), path };
}

function missing(what: string): BuildError {
  return new BuildError('sandbox', `RUN needs an OCI runtime, and ${what}`, {
    hint: 'Install one: apt-get install crun (Debian, Ubuntu), dnf install crun (Fedora), apk add crun (Alpine); or name one with --runtime.',
  });
}
