import { resolve } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import type { Place } from '../../src/core/place.ts';
import { builtinEngine } from './builtin.ts';
import { heldCapabilities } from './capabilities.ts';
import { chrootEngine } from './chroot/engine.ts';
import { ladder, type Machine, machineOf, namespaceRemedy, type Rung, rungOf } from './ladder.ts';
import { ociRuntime, type RuntimeProgram } from './oci-runtime.ts';
import { recordingHere } from './ownership/probe.ts';
import { recordedEngine } from './ownership/recorded-engine.ts';
import { describeRecording, recordingRemedy } from './ownership/recording.ts';
import type { Engine } from './plan.ts';
import { canAssemble } from './program/assemble.ts';
import { executable, find } from './programs.ts';
import { inOneLine } from './remedy.ts';

export interface Choice {
  readonly engine: Engine;
  /** One sentence: what was chosen, and why. */
  readonly sentence: string;
  /** What the choice costs, where people have to know. */
  readonly warning?: string;
}

/** Runtimes in the order of preference, and the packages that bring them. */
const preferred = ['crun', 'runc'];

/**
 * The engine for this place: what was asked for (`--runtime`: `builtin`, or a runtime's name or path), else the built-in one,
 * or an OCI runtime on a machine that it does not know. Throws `sandbox` where no namespace could be had, and where
 * no runtime is installed.
 */
export async function chooseEngine(place: Place, runtime?: string): Promise<Choice> {
  const rung = rungOf(place.isolation);
  if (rung === undefined) throw whyNoRun(place);
  const where = rung.name === 'root' ? 'as real root' : `in ${rung.what}`;
  const why = runtime === undefined ? 'the first that was found' : 'asked for with --runtime';
  if (runtime === 'builtin' || (runtime === undefined && canAssemble())) {
    const sentence = `RUN uses the built-in engine ${where}`;
    if (rung.name === 'chroot') return { engine: chrootEngine(), sentence, warning: escapable(rung) };
    if (rung.name !== 'single') return { engine: builtinEngine(), sentence };
    const here = await recordingHere();
    const warning = here.recording !== 'all' && `${describeRecording(here)}. ${recordingRemedy}`;
    return { engine: recordedEngine(here.recording), sentence, ...(warning && { warning }) };
  }
  if (rung.name === 'chroot') throw withoutNamespaces(runtime ?? 'an OCI runtime');
  if (rung.name === 'single') throw recordsOwners(runtime ?? 'an OCI runtime');
  const program = runtime === undefined ? firstOf(preferred) : named(runtime);
  return { engine: ociRuntime(program), sentence: `RUN uses ${program.path} ${where} (${why})` };
}

/**
 * Why no step can run here (or no image be mounted), and what is missing for it. Builds without RUN go on. The launcher has
 * tried the rungs in vain (`place.why`); this only looks for the remedy.
 */
export function whyNoRun(
  place: Place,
  machine: Machine = machineOf(place.uid),
  what: 'RUN' | 'mount' = 'RUN',
): BuildError {
  if (place.asked === 'none')
    return new BuildError('sandbox', `${what} cannot work with --isolation none`, {
      hint: 'Leave --isolation away: `tsbuild doctor` tells what this machine allows.',
    });
  const wanted = place.asked === undefined ? 'a user namespace' : `isolation as \`${place.asked}\``;
  const said = place.why === undefined ? '' : `: ${place.why.split('\n')[0]}`;
  // The last one that was tried is the one that gave the reason.
  const rung = ladder.find(({ name }) => name === (place.asked ?? 'single'));
  const remedy = rung?.remedy(place.why ?? '', machine) ?? namespaceRemedy(machine);
  const last =
    place.asked === undefined && what === 'RUN' && mayChangeRoot(machine) ? ` ${lastResort()}` : '';
  return new BuildError('sandbox', `${what} needs ${wanted}, which cannot be had here${said}`, {
    hint: `${inOneLine(remedy)}${last} \`tsbuild doctor\` tells more.`,
  });
}

function escapable({ name, price }: Rung): string {
  return `isolation \`${name}\` is ${price}; read-only mounts can be written, sizes of tmpfs and /dev/shm are not held (docs/run.md)`;
}

function mayChangeRoot({ uid, read }: Machine): boolean {
  return uid === 0 && heldCapabilities(read('/proc/self/status')).includes('CAP_SYS_CHROOT');
}

/** Where root has no namespace. */
function lastResort(): string {
  const { name, price } = rungOf('chroot')!;
  return `Or take --isolation ${name}, which is ${price}.`;
}

function withoutNamespaces(runtime: string): BuildError {
  return new BuildError('sandbox', `${runtime} cannot run steps without namespaces`, {
    hint: 'Leave --runtime away: the built-in engine does it with isolation `chroot`.',
  });
}

function recordsOwners(runtime: string): BuildError {
  return new BuildError(
    'sandbox',
    `${runtime} cannot run steps where only one id exists: owners are to be recorded`,
    {
      hint: 'Leave --runtime away: the built-in engine records them. Or have a range of ids: see `tsbuild doctor`.',
    },
  );
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
  return new BuildError('sandbox', `there is no such runtime: ${what}`, {
    hint: 'Leave --runtime away: tsbuild has an engine of its own. Or install one: apt-get install crun (Debian, Ubuntu), dnf install crun (Fedora), apk add crun (Alpine).',
  });
}
