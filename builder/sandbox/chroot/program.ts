import { join } from 'node:path';
import type { SandboxPlan } from '../plan.ts';
import { adopting } from '../program/adopting.ts';
import { call, type Item } from '../program/calls.ts';
import { enterGroups } from '../program/namespaces.ts';
import { becomeCommand, becomeProcess, noNewPrivileges, type ProcessFacts } from '../step-process.ts';

export interface ChrootFacts extends ProcessFacts {
  /** Absolute path of the folder that becomes the root. */
  readonly rootfs: string;
  /** Absolute path of the step's /dev. */
  readonly dev: string;
  /** Absolute folder that holds the fifos `stdout` and `stderr`. */
  readonly folder: string;
  /** A filter can be installed by nobody who could still gain rights. */
  readonly noNewPrivileges: boolean;
}

const AT_FDCWD = -100;
const PR_SET_DUMPABLE = 4;

/**
 * The program of a step without namespaces. No kernel ends what it leaves behind, so that the outermost process adopts and
 * ends it.
 */
export function chrootProgram(plan: SandboxPlan, facts: ChrootFacts): readonly Item[] {
  const before = [call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0]), ...enterGroups(plan.cgroups)];
  return adopting(commandItems(plan, facts), before);
}

function commandItems(plan: SandboxPlan, { rootfs, dev, folder, ...facts }: ChrootFacts): readonly Item[] {
  const about = 'make the folder its root';
  return [
    call('umask', [0o022]),
    // Without /proc there is no other way to open them by a name.
    ...['stdout', 'stderr'].map((name) =>
      call('linkat', [AT_FDCWD, join(folder, name), AT_FDCWD, join(dev, name), 0], {
        about: `make /dev/${name}`,
        tolerate: ['ENOENT'],
      }),
    ),
    call('chdir', [rootfs], { about }),
    call('chroot', ['.'], { about }),
    call('chdir', ['/'], { about }),
    ...(facts.noNewPrivileges ? [noNewPrivileges] : []),
    ...becomeProcess(plan, facts),
    ...becomeCommand(plan.process),
  ];
}
