import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import { boundingSet, heldCapabilities } from './capabilities.ts';
import { commandCode } from './command-code.ts';
import { writeEtcFiles } from './etc-files.ts';
import { compileFilter, everyCall } from './filter.ts';
import { hasGroup, isRealRoot, writeIdentityMaps } from './id-maps.ts';
import { isCovered, layersOf, residueOf } from './image-places.ts';
import { rlimits } from './limits.ts';
import type { Engine, Exit, Mount, SandboxIo, SandboxPlan } from './plan.ts';
import { assemble } from './program/assemble.ts';
import type { MountPoint } from './program/mounts.ts';
import { messages } from './program/namespaces.ts';
import { resolveIn } from './rootfs-view.ts';
import { type FilterRule, filterRules } from './seccomp.ts';
import { maskedPaths, readonlyPaths, TERMINAL_GROUP } from './step-mounts.ts';
import { type StepFacts, stepProgram } from './step-program.ts';
import { layOutRoots, type StepRoots } from './step-roots.ts';
import { type Request, superviseProgram } from './supervise.ts';

/** What becomes of the calls that cannot work where only one id exists (`plan.ids`). */
export interface Supervision {
  /** Which calls those are: they come before all other rules of the filter. */
  readonly rules: readonly FilterRule[];
  /**
   * With `recorded`: takes the listener, the descriptor of this number in the process of this id (of our pid namespace), before that process
   * goes on to become the command. A rejection ends the step with it.
   */
  supervise?(listener: {
    readonly pid: number;
    readonly descriptor: number;
    readonly plan: SandboxPlan;
  }): Promise<void>;
}

/** Runs plans with nothing but the kernel: a program of system calls per step. */
export function builtinEngine({ supervision }: { readonly supervision?: Supervision } = {}): Engine {
  const filters = new Filters(supervision?.rules ?? []);
  // The first step's layers are being unpacked by then, and we wait.
  setImmediate(() => filters.for(boundingSet({ insecure: false }, heldCapabilities()))).unref();
  return {
    name: 'builtin',
    async run(plan, io, scratch, signal) {
      signal.throwIfAborted();
      const folder = join(scratch, 'step');
      const roots = layOutRoots(plan, folder);
      const residue = residueOf(plan, roots.layers);
      const program = assemble(stepProgram(plan, factsOf(plan, { roots, folder, filters })));
      let terminal: Taken | undefined;
      const attend = async (request: Request): Promise<void> => {
        if (request.message === messages.terminal) terminal = await takeTerminal(request, io.screen);
        else await serve(request, plan, supervision);
      };
      try {
        const ended = await superviseProgram(program, { io, folder, signal, terminal: 'own', attend });
        return { code: commandCode(ended, plan, io), residue } satisfies Exit;
      } finally {
        await terminal?.closed;
      }
    },
  };
}

interface Prepared {
  readonly roots: StepRoots;
  /** Private folder of the step. */
  readonly folder: string;
  readonly filters: Filters;
}

function factsOf(plan: SandboxPlan, { roots, folder, filters }: Prepared): StepFacts {
  const held = heldCapabilities();
  const bounding = boundingSet(plan, held);
  const { hostsFile, resolvFile } = writeEtcFiles(plan, folder);
  const etc: readonly [Mount, string][] = [
    [{ kind: 'bind', source: resolvFile, target: '/etc/resolv.conf', readonly: true }, resolvFile],
    [{ kind: 'bind', source: hostsFile, target: '/etc/hosts', readonly: true }, hostsFile],
  ];
  const own = plan.mounts.map((mount, at) => [mount, roots.sources[at]] as const);
  return {
    ...roots,
    held,
    bounding,
    rlimits: rlimits(plan.ulimits),
    filter: plan.insecure || plan.rights?.unfiltered ? filters.forUnfiltered() : filters.for(bounding),
    realRoot: isRealRoot(),
    terminalGroup: hasGroup(TERMINAL_GROUP),
    missing: ['proc', 'sys', 'dev'].filter((name) => isMissing(name, roots.layers)),
    existing: hiddenHere(),
    mounts: [...etc, ...own].map(([mount, source]) => ({
      mount,
      source,
      point: pointOf(mount, plan, roots.layers),
    })),
  };
}

/** Filters are the same for all steps of a kind. */
class Filters {
  readonly #first: readonly FilterRule[];
  readonly #made = new Map<string, Buffer>();

  constructor(first: readonly FilterRule[]) {
    this.#first = first;
  }

  for(capabilities: readonly string[]): Buffer {
    return this.#once(capabilities.join(' '), () => filterRules(capabilities, process.arch, this.#first));
  }

  /** Of a step that may make every call, those alone that cannot work. */
  forUnfiltered(): Buffer | undefined {
    const first = this.#first;
    return first.length === 0 ? undefined : this.#once('unfiltered', () => [...first, everyCall()]);
  }

  #once(key: string, rules: () => readonly FilterRule[]): Buffer {
    const made = this.#made.get(key) ?? compileFilter(rules());
    this.#made.set(key, made);
    return made;
  }
}

/** Whether the image lacks a folder that is mounted on; a link there would lead the mount elsewhere. */
function isMissing(name: string, layers: readonly string[]): boolean {
  const { path, existing, directory } = resolveIn(layers, name);
  if (path === name && existing === 0) return true;
  if (path === name && directory) return false;
  throw new BuildError('sandbox', `/${name} of the image is no directory`, {
    hint: 'A step needs it to mount the file system of that name: make it a directory.',
  });
}

/** Which paths of the machine's /proc and /sys there are to hide: the same as long as it runs. */
function hiddenHere(): StepFacts['existing'] {
  hidden ??= new Map(
    [...maskedPaths, ...readonlyPaths].flatMap((path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat === undefined ? [] : [[path, stat.isDirectory() ? 'directory' : 'file'] as const];
    }),
  );
  return hidden;
}

let hidden: StepFacts['existing'] | undefined;

/** Links of the image are followed here. What lies below another mount cannot be looked at, and is made as it is named. */
function pointOf(mount: Mount, plan: SandboxPlan, layers: readonly string[]): MountPoint {
  const { target } = mount;
  const directory = isDirectory(mount);
  if (!isCovered(target, plan)) return { ...resolveIn(layers, target), directory, target };
  const path = target
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  return { path, existing: 0, directory, target };
}

function isDirectory(mount: Mount): boolean {
  if (mount.kind === 'tmpfs') return true;
  if (mount.kind === 'file') return false;
  if (mount.kind === 'bind') return statSync(mount.source).isDirectory();
  return resolveIn(layersOf(mount.tree), mount.path).directory;
}

/** Our part in a step that waits for it. */
async function serve(
  { message, value, pid }: Request,
  plan: SandboxPlan,
  supervision?: Supervision,
): Promise<void> {
  if (message === messages.userNamespace) writeIdentityMaps(pid);
  if (message === messages.listener) await supervision?.supervise?.({ pid, descriptor: value, plan });
}

interface Taken {
  /** When nobody has the other side open any more. */
  readonly closed: Promise<void>;
}

async function takeTerminal({ pid, value }: Request, screen: SandboxIo['screen']): Promise<Taken> {
  const { passTerminal } = await import('./terminal.ts');
  return { closed: passTerminal(pid, { descriptor: value, screen }) };
}
