import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { parentsFor } from '../../builder/sandbox/control-groups.ts';
import { groupLimits } from '../../builder/sandbox/group-limits.ts';
import { delegation, wayWithout } from '../../builder/sandbox/held-limits.ts';
import { isOlderThan, overlayKernel, stepKernel } from '../../builder/sandbox/kernel.ts';
import {
  describeRecording,
  type Recordable,
  recordingRemedy,
} from '../../builder/sandbox/ownership/recording.ts';
import { canAssemble } from '../../builder/sandbox/program/assemble.ts';
import { find } from '../../builder/sandbox/programs.ts';
import { mountOf } from '../../builder/sandbox/store-mount.ts';
import { errnoOf } from '../core/errors.ts';
import type { Isolation } from '../core/place.ts';
import { workerFile } from '../core/worker.ts';
import { type Attempt, attempt } from './doctor-attempt.ts';

/** Something besides the ladder that a build depends on. */
export interface Check {
  readonly name: string;
  readonly works: boolean;
  readonly text: string;
  /** A sentence; commands to type stand on lines of their own below it. */
  readonly remedy?: string;
  /** Without it nothing can be built. */
  readonly fatal?: true;
}

interface Around {
  /** The store's folder. */
  readonly root: string;
  /** Whose it has to be. */
  readonly uid: number;
  /** Does a command on the best rung; undefined where there is none. */
  readonly inBest: ((command: readonly string[], cwd?: string) => Promise<Attempt>) | undefined;
}

/** All that is worth knowing besides the ladder, for the rung that was chosen. */
export async function checksFor(best: Isolation | undefined, around: Around): Promise<readonly Check[]> {
  const checks = await Promise.all([
    procCheck(around),
    storeCheck(best, around),
    best === 'single' ? ownersCheck(around) : [],
    best === undefined ? [] : limitsCheck(best),
    kernelCheck(),
    enginesCheck(),
  ]);
  return checks.flat();
}

async function procCheck({ inBest }: Around): Promise<readonly Check[]> {
  const whole = await inBest?.(['unshare', '--mount', '--pid', '--fork', '--mount-proc', 'true']);
  if (whole === undefined) return [];
  if (whole.works) return [{ name: 'proc', works: true, text: 'a step gets a /proc of its own' }];
  return [
    {
      name: 'proc',
      works: false,
      text: 'parts of /proc are hidden here, so that a step sees the list of all processes, but cannot look into them; runc cannot run',
      remedy:
        'Start the container with all of its /proc (in Kubernetes: procMount: Unmasked):\ndocker run --security-opt systempaths=unconfined',
    },
  ];
}

/** How much of owners can be recorded, tried in the namespace where they are. */
async function ownersCheck({ inBest }: Around): Promise<readonly Check[]> {
  const tried = await inBest?.([process.execPath, workerFile('recording-worker')]);
  if (tried === undefined) return [];
  if (!tried.works)
    return [{ name: 'owners', works: false, text: `what can be recorded was not found: ${tried.said}` }];
  // Node may warn on stderr.
  const found = JSON.parse(tried.told) as Recordable;
  const works = found.recording === 'all';
  const text = describeRecording(found);
  return [{ name: 'owners', works, text, ...(!works && { remedy: recordingRemedy }) }];
}

const NAME_ANOTHER = 'Name another folder with --root or TSBUILD_ROOT';
const MAKE_ROOM = 'Make room (tsbuild prune), or name another folder with --root or TSBUILD_ROOT.';
/** Less holds no image that one would RUN in. */
const LEAST_BYTES = 256 * 1024 * 1024;

/** Whether the store can be written, and has room; and whether layers can be laid over each other in it. */
async function storeCheck(best: Isolation | undefined, { root, uid, inBest }: Around): Promise<Check> {
  const there = nearest(root);
  const owner = existsSync(root) ? statSync(root).uid : uid;
  if (owner !== uid) return unwritable(root, 'EACCES');
  let folder: string;
  try {
    folder = mkdtempSync(join(there, '.tsbuild-doctor-'));
  } catch (error) {
    return unwritable(root, errnoOf(error) ?? String(error));
  }
  try {
    const free = roomIn(folder);
    if (free !== undefined) return { name: 'store', works: false, ...free };
    if (inBest === undefined) return { name: 'store', works: true, text: root };
    const steps = 'mkdir l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr overlay m';
    const laid = await inBest(['unshare', '--mount', 'sh', '-c', steps], folder);
    if (laid.works)
      return { name: 'store', works: true, text: `${root}, where layers are laid over each other` };
    return inCopies(root, best === 'root');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unwritable(root: string, errno: string): Check {
  const why = refusals[errno] ?? errno;
  const remedy = /full|quota/.test(why) ? MAKE_ROOM : `${NAME_ANOTHER}: in a container, a volume.`;
  return { name: 'store', works: false, fatal: true, text: `${root} cannot be written: ${why}`, remedy };
}

const refusals: Readonly<Record<string, string>> = {
  EACCES: 'it belongs to another user',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'your quota is used up',
};

/** What is wrong with the room there; undefined for nothing. */
function roomIn(folder: string): Pick<Check, 'text' | 'remedy'> | undefined {
  const { bavail, bsize, ffree, files } = statfsSync(folder);
  const [bytes, remedy] = [bavail * bsize, MAKE_ROOM];
  if (bytes < LEAST_BYTES)
    return { text: `${dirname(folder)} has room for ${Math.floor(bytes / 2 ** 20)} MB only`, remedy };
  // File systems that make inodes as they need them count none.
  if (files > 0 && ffree < 1000)
    return { text: `${dirname(folder)} has room for ${ffree} files only`, remedy };
  return undefined;
}

/** Steps work in copies where no overlay is. In a user namespace these obey the flags of the store's mount. */
function inCopies(root: string, isRoot: boolean): Check {
  const mount = mountOf(nearest(root), readFileSync('/proc/self/mountinfo', 'utf8'));
  const forbids = (flag: string): boolean => !isRoot && mount?.flags.includes(flag) === true;
  const old = !isRoot && isOlderThan(overlayKernel);
  const why = old
    ? `Linux ${release()} is older than ${overlayKernel}`
    : `it lies on ${mount?.type ?? 'what takes none'}`;
  const remedy = `${NAME_ANOTHER}, on ext4, xfs, btrfs or tmpfs: in a container, a volume.`;
  if (forbids('noexec'))
    return {
      name: 'store',
      works: false,
      fatal: true,
      text: `no step can run in ${root}: no overlay can be mounted there (${why}), and it is mounted noexec`,
      remedy,
    };
  const unset = forbids('nosuid') ? ', and set-user-ID programs get no rights (nosuid)' : '';
  return {
    name: 'store',
    works: false,
    text: `no overlay can be mounted in ${root} (${why}): RUN works in full copies, which take time and room${unset}`,
    remedy,
  };
}

/** The deepest folder of a path that is there. */
function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path));
}

/** Which limits hold for a step as a whole. */
function limitsCheck(best: Isolation): Check {
  const wanted = groupLimits({ memoryBytes: 1, cpu: { quotaUs: 1, periodUs: 1 }, pids: 1 });
  const held = parentsFor(wanted).flatMap(({ limits }) => limits);
  const unheld = wanted.filter((limit) => !held.includes(limit));
  const flags = held.map(({ flag }) => flag).join(', ');
  if (unheld.length === 0) return { name: 'limits', works: true, text: `control groups hold ${flags}` };
  const ways = unheld.map((limit) => wayWithout(limit, best !== 'root'));
  const text = `${flags === '' ? 'no control group is ours' : `control groups hold ${flags}`}: ${ways.join('; ')}`;
  return { name: 'limits', works: false, text, remedy: delegation };
}

function kernelCheck(): readonly Check[] {
  if (!isOlderThan(stepKernel)) return [];
  return [
    {
      name: 'kernel',
      works: false,
      text: `Linux ${release()} lacks calls that steps need: they want ${stepKernel} or newer`,
      remedy: 'Use a newer kernel.',
    },
  ];
}

async function enginesCheck(): Promise<Check> {
  const found = ['crun', 'runc'].filter((name) => find(name) !== undefined);
  const versions = await Promise.all(found.map((name) => attempt([name, '--version'])));
  const own = canAssemble() ? ['built-in'] : [];
  const works = own.length + found.length > 0;
  return {
    name: 'engines',
    works,
    text: works
      ? [...own, ...versions.map(({ said }) => said.replace(/ version/, ''))].join(', ')
      : 'there is no OCI runtime, and no engine of our own for this machine',
    ...(!works && { remedy: 'Install crun:\nsudo apt-get install crun' }),
  };
}
