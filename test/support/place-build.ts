import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxBase } from './base-images.ts';
import { type HostPlace, inHostPlace } from './host-place.ts';
import { npmProject } from './npm-project.ts';
import { asUser, environmentOf, type OrdinaryUser, ordinaryUser, userFolder } from './ordinary-user.ts';
import { databasePackages, packageBase } from './package-base.ts';
import { must, run } from './programs.ts';
import { sharedFolder, temporaryFolder } from './shared.ts';

/** What places build: targets of testdata/places/Containerfile. */
export const targets = ['people', 'databases', 'npm', 'account', 'plain'] as const;
export type Target = (typeof targets)[number];

/** Where something is built: a simulated place, or this machine as it is. */
export interface BuildPlace {
  readonly who: 'root' | 'user';
  readonly host?: HostPlace;
  /** Flags of every build. */
  readonly flags?: readonly string[];
  /** What is built there, in this order. */
  readonly targets: readonly Target[];
  /** Where the store lies, when not in a folder of this machine's disk: a folder of the place's own. */
  readonly store?: string;
}

export interface PlaceResult {
  /** Exit code of each build that was tried. */
  readonly codes: Readonly<Partial<Record<Target, number>>>;
  /** Their output. */
  readonly logs: Readonly<Partial<Record<Target, string>>>;
  /** OCI layout folder of a build that succeeded. */
  layout(target: Target): string;
}

/** Builds every target in the place with the installed package; what was made lies below `into`. */
export async function buildInPlace(place: BuildPlace, into: string): Promise<PlaceResult> {
  const user = await ordinaryUser();
  const isUser = place.who === 'user';
  await using folder = isUser ? await userFolder(user) : temporaryFolder('place');
  await using scratch = temporaryFolder('scratch');
  await layOut(folder.path);
  if (isUser) await must(['chown', '-R', '-h', `${user.uid}:${user.gid}`, folder.path]);
  const line = await commandLine(place, folder.path, user);
  const env = environmentIn(folder.path, isUser ? user : { name: 'root', home: '/root' });
  const outcome = await run(
    startedIn(place, line, { folder: folder.path, scratch: scratch.path, user, env }),
    {
      env,
      cwd: folder.path,
      limitMs: 600_000,
    },
  );
  if (outcome.code !== 0) throw new Error(`the place ended with ${outcome.code}: ${outcome.stderr}`);
  cpSync(join(folder.path, 'out'), into, { recursive: true });
  const text = (name: string) => readFileSync(join(into, name), 'utf8');
  return {
    codes: Object.fromEntries(place.targets.map((target) => [target, Number(text(`${target}.code`))])),
    logs: Object.fromEntries(place.targets.map((target) => [target, text(`${target}.log`)])),
    layout: (target) => join(into, target),
  };
}

async function layOut(folder: string): Promise<void> {
  for (const name of ['out', 'tmp']) mkdirSync(join(folder, name));
  cpSync('testdata/places/context', join(folder, 'context'), { recursive: true });
  cpSync('testdata/places/Containerfile', join(folder, 'context/Containerfile'));
  cpSync((await npmProject()).app, join(folder, 'context/app'), { recursive: true });
}

const script = `set -u
tsbuild=$1 store=$2 targets=$3 archives=$4
shift 4
for archive in $archives; do "$tsbuild" load --root "$store" -i "$archive" >>out/load.log 2>&1; done
for target in $targets; do
  code=0
  "$tsbuild" build --root "$store" --progress plain --target "$target" "$@" \\
    -o "type=oci,tar=false,dest=out/$target" context >"out/$target.log" 2>&1 || code=$?
  echo "$code" >"out/$target.code"
done`;

async function commandLine(place: BuildPlace, folder: string, user: OrdinaryUser): Promise<string[]> {
  const [packages, busybox, npm] = [await packageBase(), await busyboxBase(), await npmProject()];
  const store = place.store ?? join(folder, 'store');
  const contexts = [`packages=${packages.packages}`, `node=${npm.node}`];
  if (place.targets.includes('databases')) contexts.push(`servers=${await databasePackages()}`);
  const flags = ['--network=none', ...contexts.flatMap((context) => ['--build-context', context])];
  const words = [store, place.targets.join(' '), `${packages.archive} ${busybox.archive}`];
  return ['sh', '-c', script, 'sh', user.tsbuild, ...words, ...flags, ...(place.flags ?? [])];
}

interface Surroundings {
  readonly folder: string;
  readonly scratch: string;
  readonly user: OrdinaryUser;
  readonly env: Readonly<Record<string, string>>;
}

function startedIn({ host, who }: BuildPlace, line: string[], around: Surroundings): string[] {
  const { folder, scratch, user, env } = around;
  if (host === undefined) return who === 'user' ? asUser(user, line) : line;
  return inHostPlace(host, line, { scratch, user, keep: [folder, sharedFolder()], env, cwd: folder });
}

function environmentIn(folder: string, person: { name: string; home: string }): Record<string, string> {
  return { ...environmentOf(person), TMPDIR: join(folder, 'tmp') };
}
