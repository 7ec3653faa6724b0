import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { hostPlaces, inHostPlace } from './host-place.ts';
import { must, type Outcome, run } from './programs.ts';
import type { Job, JobResult } from './sandbox-driver.ts';

/** Who runs steps in a test: real root, or an ordinary user in a user namespace. */
export type Who = 'root' | 'user';

/** Puts a command into other surroundings. */
export type Within = (command: readonly string[]) => readonly string[];

const repository = fileURLToPath(new URL('../..', import.meta.url));
const userName = 'tsbuild-test';

/** A folder that every user may enter, with the driver, the launcher and a root filesystem made of busybox. */
export class SandboxPlace {
  readonly folder: string;
  readonly root: string;
  #ids: { uid: number; gid: number } | undefined;

  private constructor(folder: string) {
    this.folder = folder;
    this.root = join(folder, 'root');
  }

  static async make(): Promise<SandboxPlace> {
    const place = new SandboxPlace(mkdtempSync(join(tmpdir(), 'tsbuild-sandbox-')));
    chmodSync(place.folder, 0o755);
    await place.install();
    layOutBusybox(place.root);
    return place;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A private folder of `who`. */
  work(who: Who): string {
    const path = mkdtempSync(join(this.folder, `${who}-`));
    if (who === 'user') chownSync(path, this.ids.uid, this.ids.gid);
    return path;
  }

  /** Runs jobs with one engine, and gives what came of each. */
  async perform(
    who: Who,
    runtime: string,
    jobs: readonly Job[],
    within: Within = (command) => command,
  ): Promise<JobResult[]> {
    const outcome = await this.start(who, runtime, jobs, within);
    if (outcome.code !== 0) throw new Error(`the driver ended with ${outcome.code}: ${outcome.stderr}`);
    return outcome.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JobResult);
  }

  async start(
    who: Who,
    runtime: string,
    jobs: readonly Job[],
    within: Within = (command) => command,
  ): Promise<Outcome> {
    return await run(within(this.command(who, runtime, jobs)), { env: this.environment(), cwd: '/' });
  }

  /** Root of a container, on the rung that needs no namespace. */
  inContainer(name: 'docker-root' | 'docker-unconfined'): Within {
    const around = {
      scratch: this.work('root'),
      user: this.ids,
      keep: [this.folder],
      env: this.environment(),
    };
    return (command) => inHostPlace(hostPlaces[name], [...command, '--isolation=chroot'], around);
  }

  /** The driver through the launcher, as `who`. */
  command(who: Who, runtime: string, jobs: readonly Job[]): string[] {
    const work = this.work(who);
    const file = join(work, 'jobs.json');
    writeFileSync(file, JSON.stringify(jobs), { mode: 0o644 });
    return [...this.as(who), join(this.folder, 'bin/tsbuild'), runtime, file, work];
  }

  as(who: Who): string[] {
    if (who === 'root') return [];
    const { uid, gid } = this.ids;
    return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
  }

  environment(): Record<string, string> {
    return { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: '/', SECRET_OF_THE_BUILDER: 'must not leak' };
  }

  /** A layer with perl and id of this machine, and what they need: for roots that have nothing mounted in them. */
  systemLayer(): string {
    const layer = join(this.folder, 'system');
    if (existsSync(layer)) return layer;
    const programs = ['/usr/bin/perl', '/usr/bin/id'];
    const told = execFileSync('ldd', programs, { encoding: 'utf8' });
    const libraries = [...told.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
    for (const path of [...programs, ...libraries]) {
      const folder = join(layer, realpathSync(dirname(path)));
      mkdirSync(folder, { recursive: true });
      copyFileSync(path, join(folder, basename(path)));
    }
    const modules = execFileSync('perl', ['-MPOSIX', '-e', 'print $INC{"POSIX.pm"} =~ s{/[^/]*$}{}r'], {
      encoding: 'utf8',
    });
    cpSync(modules, join(layer, realpathSync(modules)), { recursive: true });
    return layer;
  }

  get ids(): { uid: number; gid: number } {
    this.#ids ??= ordinaryIds();
    return this.#ids;
  }

  private async install(): Promise<void> {
    for (const name of ['bin', 'dist']) mkdirSync(join(this.folder, name));
    cpSync(join(repository, 'bin'), join(this.folder, 'bin'), { recursive: true });
    await bundle('sandbox-driver.ts', join(this.folder, 'dist/cli.js'));
    const worker = 'ownership-worker';
    await bundle(`../../builder/sandbox/ownership/${worker}.ts`, join(this.folder, `dist/${worker}.js`));
    writeFileSync(join(this.folder, 'package.json'), '{"type":"module"}');
    for (const name of ['koffi', '@koromix']) {
      const from = join(repository, 'node_modules', name);
      if (existsSync(from)) cpSync(from, join(this.folder, 'node_modules', name), { recursive: true });
    }
    await must(['chmod', '-R', 'a+rX', this.folder]);
  }
}

/** Bundles a program of test/support as the package's own build does. */
export async function bundle(name: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [join(repository, 'test/support', name)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['koffi'],
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    logLevel: 'error',
  });
}

/** One file of a tree to lay out; a name that ends in `/` is a directory. */
export interface TreeFile {
  readonly text?: string;
  readonly bytes?: Buffer;
  readonly link?: string;
  readonly copy?: string;
  /** Major and minor of a character device. */
  readonly device?: readonly [number, number];
  /** Octal. */
  readonly mode?: string;
}

/** Lays out a layer in `folder`, owned by `owner`. */
export function layOutTree(
  folder: string,
  tree: Readonly<Record<string, TreeFile>>,
  owner: { uid: number; gid: number },
): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const [name, file] of Object.entries(tree)) {
    const path = join(folder, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true, mode: 0o755 });
    if (file.link !== undefined) symlinkSync(file.link, path);
    else if (file.copy !== undefined) copyFileSync(file.copy, path);
    else if (file.device !== undefined) execFileSync('mknod', [path, 'c', ...file.device.map(String)]);
    else writeContent(path, file);
  }
  execFileSync('chown', ['-R', '-h', `${owner.uid}:${owner.gid}`, folder]);
  for (const [name, file] of Object.entries(tree)) {
    if (file.mode !== undefined) chmodSync(join(folder, name), Number.parseInt(file.mode, 8));
  }
}

function writeContent(path: string, { text, bytes }: TreeFile): void {
  const content = bytes ?? text;
  if (content !== undefined) writeFileSync(path, content);
}

function layOutBusybox(root: string): void {
  mkdirSync(join(root, 'bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  const names = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of names) if (name !== 'busybox') symlinkSync('busybox', join(root, 'bin', name));
}

/** The ids of the user `tsbuild-test`, who is made where it is absent, with ranges. */
function ordinaryIds(): { uid: number; gid: number } {
  const line = (): string | undefined =>
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${userName}:`));
  if (line() === undefined) execFileSync('useradd', ['--create-home', '--shell', '/bin/sh', userName]);
  for (const [file, flag] of [
    ['/etc/subuid', '--add-subuids'],
    ['/etc/subgid', '--add-subgids'],
  ] as const) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (text.includes(`${userName}:`)) continue;
    const ends = [...text.matchAll(/^[^:]+:(\d+):(\d+)/gm)].map(
      (match) => Number(match[1]) + Number(match[2]),
    );
    const first = Math.max(100_000, ...ends);
    execFileSync('usermod', [flag, `${first}-${first + 65_535}`, userName]);
  }
  const [, , uid, gid] = line()!.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
