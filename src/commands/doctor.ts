import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ladder, machineOf, type Rung, rungsFor } from '../../builder/sandbox/ladder.ts';
import { canAssemble } from '../../builder/sandbox/program/assemble.ts';
import { find, searchPath } from '../../builder/sandbox/programs.ts';
import { errnoOf } from '../core/errors.ts';
import type { Isolation } from '../core/place.ts';
import type { Surroundings } from './surroundings.ts';

/** A rung of the ladder here. */
interface RungState {
  readonly name: Isolation;
  readonly what: string;
  readonly works: boolean;
  readonly chosen: boolean;
  readonly price: string;
  /** Only where `--isolation` names it. */
  readonly optIn?: true;
  /** Why it cannot be had, and how it could. */
  readonly why?: string;
  readonly remedy?: string;
}

/** Something else that RUN depends on. */
interface Check {
  readonly name: string;
  readonly works: boolean;
  readonly text: string;
  readonly remedy?: string;
}

interface Examined {
  readonly rungs: readonly RungState[];
  readonly checks: readonly Check[];
}

/** The script by which the launcher finds rungs: beside the bundle's folder. */
const script = fileURLToPath(new URL('../bin/ladder.sh', import.meta.url));
/** Longer than any attempt takes; only one that hangs comes so far. */
const PATIENCE_MS = 20_000;

/** Tells which isolation RUN gets here, why no better one, and how to mend the rest. True where RUN works. */
export async function doctor(options: { readonly json: boolean }, here: Surroundings): Promise<boolean> {
  const examined = await examine(here);
  const works = examined.rungs.some(({ chosen }) => chosen);
  here.print(options.json ? `${JSON.stringify({ works, ...examined }, null, 2)}\n` : textOf(examined));
  return works;
}

async function examine(here: Surroundings): Promise<Examined> {
  const { uid } = here.place;
  const tried = await Promise.all(triedFor(uid).map(async (rung) => [rung, await on(rung.name)] as const));
  const best = tried.find(([rung, attempt]) => attempt.works && rung.optIn !== true)?.[0];
  const rungs = ladder.map((rung) => {
    const attempt = tried.find(([one]) => one === rung)?.[1];
    return stateOf(rung, attempt ?? notTried(rung, uid), { chosen: rung === best, uid });
  });
  const checks = best === undefined ? [] : await Promise.all([procCheck(best), storeCheck(best, here.root)]);
  return { rungs, checks: [...checks, await enginesCheck()] };
}

/** What the launcher tries, and what it could be told to take. */
function triedFor(uid: number): readonly Rung[] {
  return [...rungsFor(uid), ...ladder.filter(({ optIn }) => optIn === true && uid === 0)];
}

interface Attempt {
  readonly works: boolean;
  readonly said: string;
}

/** Does a command on a rung, in a child. */
function on(rung: Isolation, command: readonly string[] = ['true'], cwd = '/'): Promise<Attempt> {
  return attempt(['sh', script, 'in', rung, ...command], cwd);
}

function attempt([program, ...args]: readonly string[], cwd = '/'): Promise<Attempt> {
  const env = { ...process.env, PATH: searchPath(), LC_ALL: 'C' };
  return new Promise((resolve) => {
    const child = execFile(program!, args, { cwd, env, timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      const said = `${stderr.trim()}\n${stdout.trim()}`.trim().split('\n')[0] ?? '';
      resolve({ works: error === null, said });
    });
    child.stdin?.end();
  });
}

function notTried({ name }: Rung, uid: number): Attempt {
  const said = uid === 0 || name === 'subuid' ? 'for ordinary users' : `uid ${uid} is not root`;
  return { works: false, said };
}

function stateOf(
  rung: Rung,
  { works, said }: Attempt,
  { chosen, uid }: { readonly chosen: boolean; readonly uid: number },
): RungState {
  const { name, what, price } = rung;
  const optIn = rung.optIn === true && { optIn: true as const };
  if (works) return { name, what, works, chosen, price, ...optIn };
  const tried = triedFor(uid).includes(rung);
  const remedy = tried ? rung.remedy(said, machineOf(uid)) : undefined;
  return { name, what, works, chosen, price, why: said, ...optIn, ...(remedy !== undefined && { remedy }) };
}

async function procCheck({ name }: Rung): Promise<Check> {
  const whole = await on(name, ['unshare', '--mount', '--pid', '--fork', '--mount-proc', 'true']);
  if (whole.works) return { name: 'proc', works: true, text: 'a step gets a /proc of its own' };
  return {
    name: 'proc',
    works: false,
    text: 'parts of /proc are hidden, so that a step sees that of this container with its processes',
    remedy: 'docker run --security-opt systempaths=unconfined, or procMount: Unmasked in Kubernetes.',
  };
}

/** Whether the kernel lays layers over each other where the store lies. */
async function storeCheck({ name }: Rung, root: string): Promise<Check> {
  let folder: string;
  try {
    folder = mkdtempSync(join(nearest(root), '.tsbuild-doctor-'));
  } catch (error) {
    const remedy = 'Name a folder of your own with --root or TSBUILD_ROOT.';
    return { name: 'store', works: false, text: `${root} cannot be written (${errnoOf(error)})`, remedy };
  }
  try {
    const steps = 'mkdir l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr overlay m';
    const laid = await on(name, ['unshare', '--mount', 'sh', '-c', steps], folder);
    if (laid.works) return { name: 'store', works: true, text: `layers are overlaid in ${root}` };
    return {
      name: 'store',
      works: false,
      text: `layers cannot be overlaid in ${root}: ${laid.said}`,
      remedy:
        'Put the store on a volume (ext4, xfs, btrfs, tmpfs) with --root or TSBUILD_ROOT: it lies on an overlay, or on a file system that overlay does not take.',
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The deepest folder of a path that is there. */
function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path));
}

async function enginesCheck(): Promise<Check> {
  const found = ['crun', 'runc'].filter((name) => find(name) !== undefined);
  const versions = await Promise.all(found.map((name) => attempt([name, '--version'])));
  const known = [...(canAssemble() ? ['built-in'] : []), ...versions.map(({ said }) => said)];
  const works = known.length > 0;
  return {
    name: 'engines',
    works,
    text: works ? known.join(', ') : `none: the built-in one does not know ${process.arch}`,
    ...(!works && { remedy: 'Install crun: apt-get install crun.' }),
  };
}

function textOf({ rungs, checks }: Examined): string {
  const chosen = rungs.find((rung) => rung.chosen);
  const verdict =
    chosen === undefined
      ? 'RUN does not work here; builds without RUN do.'
      : `RUN works here, in isolation \`${chosen.name}\`: ${chosen.what}.`;
  const lines = [verdict, '', 'Isolation, best first:', ...rungs.flatMap(rungLines)];
  return `${[...lines, '', 'Besides:', ...checks.flatMap(checkLines)].join('\n')}\n`;
}

function rungLines({ name, what, works, chosen, price, optIn, why, remedy }: RungState): string[] {
  const mark = works ? '✓' : remedy === undefined ? '-' : '✗';
  const said = [
    ...(chosen ? ['chosen'] : []),
    ...(works && optIn ? [`only with --isolation ${name}`] : []),
    ...(works && price !== '' ? [price] : []),
    ...(why !== undefined ? [why] : []),
    ...(remedy !== undefined ? [`→ ${remedy}`] : []),
  ];
  return [`  ${mark} ${name.padEnd(8)}${what}`, ...said.flatMap((text) => wrapped(text))];
}

function checkLines({ name, works, text, remedy }: Check): string[] {
  const [first, ...rest] = wrapped(text);
  const advice = remedy === undefined ? [] : wrapped(`→ ${remedy}`);
  return [`  ${works ? '✓' : '✗'} ${name.padEnd(8)}${first!.trimStart()}`, ...rest, ...advice];
}

const INDENT = ' '.repeat(12);

/** Lines of at most 80 columns. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= 80)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${INDENT}${word}`);
  }
  return lines;
}
