import type { SetupMount } from '../overlay-mount.ts';
import type { SandboxProcess } from '../plan.ts';
import { adopting } from '../program/adopting.ts';
import { block, call, type Item } from '../program/calls.ts';
import { AT_FDCWD, NODEV, NOSUID, privateMounts, RDONLY } from '../program/mounts.ts';
import { closeOthers } from '../program/namespaces.ts';
import { setupMount } from '../setup-mount.ts';
import { becomeCommand } from '../step-process.ts';

/** A command of this machine that sees an image's files in a folder. */
export interface MountedPlan {
  /** Where the names in the options of `mount` hold. */
  readonly names: string;
  /** Its target is the folder: absolute, and no link in it. */
  readonly mount: SetupMount;
  readonly readonly: boolean;
  readonly process: Pick<SandboxProcess, 'args' | 'env' | 'cwd'>;
}

const CLONE_NEWNS = 0x20000;
const [SIG_DFL, SIG_IGN] = [0, 1];
/** What a terminal sends to all of its foreground group, and what may be sent to it: the command decides about them. */
const decided = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };

/**
 * The program that mounts an image's files and becomes a command: in a mount namespace that is gone with the last of its
 * processes, of which it leaves none.
 */
export function mountedProgram({ names, mount, readonly, process }: MountedPlan): readonly Item[] {
  const before = [
    ...take(SIG_IGN),
    call('unshare', [CLONE_NEWNS], { about: 'make a mount namespace' }),
    privateMounts,
    call('chdir', [names], { about: `enter ${names}` }),
    ...setupMount(mount),
    restrict(mount.target, NOSUID | NODEV | (readonly ? RDONLY : 0)),
    // By its name: it may lie in the folder that is mounted on.
    call('chdir', [process.cwd], { about: `go to the working directory ${process.cwd}` }),
  ];
  return adopting([...take(SIG_DFL), closeOthers, ...becomeCommand(process)], before);
}

function take(action: number): readonly Item[] {
  return Object.values(decided).map((signal) =>
    call('rt_sigaction', [signal, block([action, 0, 0, 0]), 0, 8]),
  );
}

/** A program of the image gets no rights of another user, and a device of it does not open. */
function restrict(path: string, attributes: number): Item {
  return call('mount_setattr', [AT_FDCWD, path, 0, block([attributes, 0, 0, 0]), 32], {
    about: `restrict the mount on ${path}`,
  });
}
