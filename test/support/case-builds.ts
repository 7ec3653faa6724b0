import { join } from 'node:path';
import { type BuildCase, buildArguments, layOut } from './cases.ts';
import { tagLayout } from './oci-layout.ts';
import { must } from './programs.ts';
import { listTree, type Tree, unpack } from './trees.ts';
import { imageId, type Tsbuild } from './tsbuild.ts';

/** What came of a build. */
export interface Built {
  readonly code: number | null;
  readonly output: string;
  /** An OCI layout folder with the tag `image`; not there where the build failed. */
  readonly layout: string;
  /** The image's id; empty where the build failed. */
  readonly id: string;
}

export interface Unpacked {
  readonly rootfs: string;
  readonly tree: Tree;
}

export interface BuildOptions {
  /** Unique for the case. */
  readonly name: string;
  /** Where the case lies, when not in its own folder. */
  readonly cwd?: string;
  readonly flags?: readonly string[];
}

/** Builds of cases in one store. What every check of a case asks for is made once, for whoever asks first. */
export interface CaseBuilds {
  readonly tsbuild: Tsbuild;
  /** The folder where the case is laid out; nothing that a build gives lies in it. */
  folder(one: BuildCase): Promise<string>;
  /** A copy of that folder, times too, made before anybody changes it. */
  untouched(one: BuildCase): Promise<string>;
  /** The first build of the case, in its folder. */
  first(one: BuildCase): Promise<Built>;
  /** What the image of the first build holds. */
  unpacked(one: BuildCase): Promise<Unpacked>;
  /** One more build. */
  build(one: BuildCase, options: BuildOptions): Promise<Built>;
}

export function caseBuilds(tsbuild: Tsbuild): CaseBuilds {
  const folder = once(async (one) => {
    const path = join(tsbuild.folder, one.name);
    await layOut(one, path, tsbuild);
    return path;
  });
  const untouched = once(async (one) => {
    const path = await folder(one);
    await must(['cp', '-a', path, `${path}.untouched`]);
    return `${path}.untouched`;
  });
  const build = async (one: BuildCase, options: BuildOptions) =>
    buildCase(tsbuild, one, { cwd: await folder(one), ...options });
  const first = once((one) => build(one, { name: 'first' }));
  const unpacked = once(async (one) => unpackBuilt(await first(one)));
  return { tsbuild, folder, untouched, first, unpacked, build };
}

/** Unpacks the image of a build. */
export async function unpackBuilt({ layout }: Built): Promise<Unpacked> {
  const rootfs = await unpack(layout, `${layout}.bundle`);
  return { rootfs, tree: await listTree(rootfs) };
}

async function buildCase(
  tsbuild: Tsbuild,
  one: BuildCase,
  { name, cwd, flags = [] }: BuildOptions & { readonly cwd: string },
): Promise<Built> {
  const into = join(tsbuild.folder, `${one.name}.${name}`);
  const [layout, ids] = [`${into}.oci`, `${into}.id`];
  const output = ['-o', `type=oci,tar=false,dest=${layout}`, '--iidfile', ids, '--progress', 'plain'];
  const args = ['build', ...output, ...flags, ...buildArguments(one)];
  const { code, stdout, stderr } = await tsbuild.run(args, { cwd, env: one.env ?? {} });
  const built = { code, output: stdout + stderr, layout };
  if (code !== 0) return { ...built, id: '' };
  tagLayout(layout);
  return { ...built, id: imageId(ids) };
}

/** Keeps what is made for a case. */
function once<T>(make: (one: BuildCase) => Promise<T>): (one: BuildCase) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (one) => {
    const known = made.get(one.name) ?? make(one);
    made.set(one.name, known);
    return known;
  };
}
