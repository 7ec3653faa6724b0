import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../../src/core/errors.ts';
import { boundingSet, heldCapabilities } from '../capabilities.ts';
import { commandCode } from '../command-code.ts';
import { compileFilter } from '../filter.ts';
import { rlimits } from '../limits.ts';
import type { Engine, Exit, SandboxPlan, WantedBounds } from '../plan.ts';
import { assemble } from '../program/assemble.ts';
import { filterRules } from '../seccomp.ts';
import { superviseProgram } from '../supervise.ts';
import { Placing } from './placing.ts';
import { chrootProgram } from './program.ts';
import { show } from './shown.ts';

/** What of docker's set leads out of the root, or to what belongs to the whole container. */
const withheld = ['CAP_SYS_CHROOT', 'CAP_MKNOD', 'CAP_NET_RAW'];

/** Runs plans in a folder that becomes the root, with no namespace and no mount: rung `chroot`. */
export function chrootEngine(): Engine {
  // The rights of all steps are the same.
  let filter: Buffer | undefined;
  return {
    name: 'chroot',
    moves: true,
    check,
    async run(plan, io, scratch, signal) {
      signal.throwIfAborted();
      check({ ...plan, terminal: plan.process.terminal !== false });
      const rootfs = folderOf(plan);
      const folder = join(scratch, 'step');
      mkdirSync(folder, { mode: 0o700 });
      using placing = new Placing(rootfs, folder);
      const { dev } = show(plan, placing, { folder, stdin: io.stdin });
      const held = heldCapabilities();
      const bounding = boundingSet(plan, held).filter((name) => !withheld.includes(name));
      const own = ownFilter();
      const isFiltered = own !== 'none' && plan.rights?.unfiltered !== true;
      if (isFiltered) filter ??= compileFilter(filterRules(bounding, process.arch));
      const program = assemble(
        chrootProgram(plan, {
          rootfs,
          folder,
          dev: join(rootfs, dev),
          held,
          bounding,
          rlimits: rlimits(plan.ulimits),
          filter: isFiltered ? filter : undefined,
          noNewPrivileges: own === 'restricting' && isFiltered,
        }),
      );
      const ended = await superviseProgram(program, { io, folder, signal, terminal: 'own' });
      return {
        code: commandCode(ended, plan, io),
        residue: [],
        touched: [...placing.touched],
      } satisfies Exit;
    },
  };
}

/**
 * Whether a step gets a filter of our own. Without CAP_SYS_ADMIN only a process may install one that can gain no rights any
 * more, setuid programs included: where the container has a filter already, that one has to do.
 */
function ownFilter(): 'usual' | 'restricting' | 'none' {
  if (heldCapabilities().includes('CAP_SYS_ADMIN')) return 'usual';
  return /^Seccomp:\s*2$/m.test(readFileSync('/proc/self/status', 'utf8')) ? 'none' : 'restricting';
}

function folderOf({ root }: SandboxPlan): string {
  if ('folder' in root) return root.folder;
  throw new Error('an overlay cannot be mounted here: the root has to be a folder');
}

/** Refuses what takes a namespace or a mount. */
function check({ network, insecure, rights, terminal }: WantedBounds): void {
  if (network !== 'host')
    throw refusal(
      `a network of its own (\`${network}\`)`,
      'The step has to use that of this container: --network host.',
    );
  const withheldHere = rights?.add?.find((name) => withheld.includes(name));
  if (withheldHere !== undefined)
    throw refusal(`--cap-add ${withheldHere}`, 'It leads out of a root that is no more than a folder.');
  if (insecure) throw refusal('--security=insecure', 'A step gets no more here than it has: leave it away.');
  if (terminal) throw refusal('a terminal of its own', 'Leave -t away; -i hands over stdin.');
  if (!existsSync(`/proc/self/task/${process.pid}/children`))
    throw refusal('an end of what it starts', 'The kernel does not tell here which children a process has.');
}

function refusal(what: string, hint: string): BuildError {
  return new BuildError('sandbox', `${what} cannot be had with isolation \`chroot\``, { hint });
}
