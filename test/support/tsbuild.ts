import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BaseImage } from './base-images.ts';
import { tagLayout } from './oci-layout.ts';
import { asUser, environmentOf, ordinaryUser, userFolder } from './ordinary-user.ts';
import { must, type Outcome, type RunOptions, run } from './programs.ts';
import { temporaryFolder } from './shared.ts';

export type Who = 'root' | 'user';

/** The built command with a store of its own. */
export interface Tsbuild {
  readonly who: Who;
  /** A private folder that the command's user owns. */
  readonly folder: string;
  /** The store; it does not exist before the first command. */
  readonly store: string;
  /** Runs `tsbuild ARGS --root STORE`; relative paths are below `folder` unless `cwd` says otherwise. */
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** As `run`, but an exit other than 0 is an error. Gives stdout. */
  must(args: readonly string[], options?: RunOptions): Promise<string>;
  /** The whole command line, for tests that start it by themselves. */
  commandLine(args: readonly string[]): string[];
  readonly env: Readonly<Record<string, string>>;
  /** The command line by which the command's user runs another program. */
  as(command: readonly string[]): string[];
  /** Hands a file or folder over to the command's user. */
  give(path: string): Promise<void>;
}

/**
 * tsbuild as `root` (from this checkout; where the tests are not root, as the person who runs them) or as the
 * ordinary `user` (from the package installed in that user's home).
 */
export async function newTsbuild(who: Who): Promise<AsyncDisposable & Tsbuild> {
  if (who === 'root') {
    const folder = temporaryFolder('store');
    return command({ who, folder, env: ownEnvironment(), prefix: [], program: resolve('bin/tsbuild') });
  }
  const user = await ordinaryUser();
  const folder = await userFolder(user);
  const give = (path: string) => must(['chown', '-R', '-h', `${user.uid}:${user.gid}`, path]);
  const prefix = asUser(user, []);
  return command({ who, folder, env: environmentOf(user), prefix, program: user.tsbuild, give });
}

/** Puts base images into the store under their names, without any registry. */
export async function loadBases(tsbuild: Tsbuild, bases: readonly BaseImage[]): Promise<void> {
  for (const base of bases) await tsbuild.must(['load', '-i', base.archive]);
}

/** Builds and gives an OCI layout folder with the tag `image`. */
export async function buildLayout(
  tsbuild: Tsbuild,
  args: readonly string[],
  options: LayoutOptions,
): Promise<string> {
  const layout = join(tsbuild.folder, `${options.name}.oci`);
  await tsbuild.must(['build', '-o', `type=oci,tar=false,dest=${layout}`, ...args], options);
  tagLayout(layout);
  return layout;
}

export interface LayoutOptions extends RunOptions {
  /** Unique within the folder. */
  readonly name: string;
}

/** The image id that `--iidfile` wrote. */
export function imageId(file: string): string {
  return readFileSync(file, 'utf8').trim();
}

interface Parts {
  readonly who: Who;
  readonly folder: AsyncDisposable & { readonly path: string };
  readonly env: Readonly<Record<string, string>>;
  readonly prefix: readonly string[];
  readonly program: string;
  readonly give?: (path: string) => Promise<unknown>;
}

function command(parts: Parts): AsyncDisposable & Tsbuild {
  const folder = parts.folder.path;
  const store = join(folder, 'store');
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  const env = { ...parts.env, TMPDIR: join(folder, 'tmp') };
  const commandLine = (args: readonly string[]) => [
    ...parts.prefix,
    parts.program,
    ...withStore(args, store),
  ];
  const give = async (path: string) => void (await parts.give?.(path));
  const ready = give(folder);
  const options = (given: RunOptions = {}) => ({ cwd: folder, ...given, env: { ...env, ...given.env } });
  return {
    who: parts.who,
    folder,
    store,
    env,
    commandLine,
    as: (line) => [...parts.prefix, ...line],
    give,
    run: async (args, given) => ready.then(() => run(commandLine(args), options(given))),
    must: async (args, given) => ready.then(() => must(commandLine(args), options(given))),
    [Symbol.asyncDispose]: () => parts.folder[Symbol.asyncDispose](),
  };
}

/** `--root` stands right behind the command's name: what follows may belong to a process that runs. */
function withStore(args: readonly string[], store: string): string[] {
  const [name = 'build', ...rest] = args;
  return [name, '--root', store, ...rest];
}

/** This process's environment without what would change a build's result. */
function ownEnvironment(): Record<string, string> {
  const skipped =
    /^(SOURCE_DATE_EPOCH|TSBUILD_.*|XDG_.*|DOCKER_.*|REGISTRY_AUTH_FILE|NODE_OPTIONS|VITEST.*)$/;
  const kept = Object.entries(process.env).filter(([key]) => !skipped.test(key));
  return Object.fromEntries(kept) as Record<string, string>;
}
