import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/core/digest.ts';
import { type BaseImage, debianSources, image, smallDebian } from './base-images.ts';
import { writeLayout } from './oci-layout.ts';
import { must } from './programs.ts';
import { once } from './shared.ts';

/** A Debian image, and a repository of packages for it: a build installs them without any network. */
export interface PackageBase extends BaseImage {
  /** A flat repository of apt's (`deb [trusted=yes] file:FOLDER ./`); `install` in it is a script that uses it. */
  readonly packages: string;
}

/** Ten whose scripts change owners, groups, modes and capabilities. */
const tenPackages = [
  'openssh-server',
  'sudo',
  'dbus',
  'nginx-light',
  'postfix',
  'man-db',
  'postgresql-common',
  'iputils-ping',
  'libcap2-bin',
  'cron',
];

/** Servers that make users, folders of theirs and, as those users, a whole database while they are installed. */
const databases = ['postgresql-15', 'mariadb-server', 'redis-server', 'rabbitmq-server'];

const suite = 'bookworm';

/**
 * Debian 12, small but with apt, and the ten packages with all that they need, downloaded once for a run of all tests. No
 * lists of apt's are in the image.
 */
export async function packageBase(): Promise<PackageBase> {
  const base = await image('packages', 'localhost/tsbuild-test/packages:1', async (layout) => {
    const tar = join(layout, '../root.tar');
    await bootstrap(tar, join(layout, '../packages'), tenPackages);
    writeLayout(layout, [readFileSync(tar)], {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    });
    rmSync(tar);
  });
  return { ...base, packages: join(base.layout, '../packages') };
}

/** A repository like the other, of the database servers; for the same image. */
export async function databasePackages(): Promise<string> {
  const folder = await once('databases', async (temporary) => {
    await bootstrap('/dev/null', join(temporary, 'packages'), databases);
    await must(['chmod', '-R', 'a+rX', temporary]);
  });
  return join(folder, 'packages');
}

/** Writes the image's files to `tar`, and a repository of the packages with all that they need there to `packages`. */
async function bootstrap(tar: string, packages: string, names: readonly string[]): Promise<void> {
  const sources = `${packages}.sources`;
  mkdirSync(packages);
  writeFileSync(sources, await debianSources(suite));
  const download = `chroot "$1" apt-get install -qq -y --no-install-recommends --download-only ${names.join(' ')}`;
  const hooks = [download, `cp "$1"/var/cache/apt/archives/*.deb '${packages}'`, ...tidying];
  await must(['mmdebstrap', '--quiet', ...smallDebian, ...hooks.map(hook), suite, tar, sources]);
  await index(packages);
  writeFileSync(join(packages, 'install'), installScript, { mode: 0o755 });
  rmSync(sources);
}

const tidying = ['rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*'];

/** The repository stands in a file that is gone afterwards; apt's and debconf's state is that of Debian. */
const installScript = `set -e
list=$(mktemp)
chmod 644 "$list"
echo "deb [trusted=yes] file:\${0%/*} ./" >"$list"
apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=- "$@"; }
apt update
apt install -y --no-install-recommends "$@"
rm -rf "$list" /var/lib/apt/lists/* /var/cache/apt/*.bin
`;

function hook(command: string): string {
  return `--customize-hook=${command}`;
}

/** Writes what apt reads first: the control fields of every package, with name, size and digest of its file. */
async function index(folder: string): Promise<void> {
  const files = readdirSync(folder).sort();
  const paragraphs: string[] = [];
  for (const file of files) {
    const path = join(folder, file);
    const fields = await must(['dpkg-deb', '-f', path]);
    const own = `Filename: ./${file}\nSize: ${statSync(path).size}\nSHA256: ${digestOf(readFileSync(path)).slice(7)}\n`;
    paragraphs.push(`${fields.trimEnd()}\n${own}`);
  }
  writeFileSync(join(folder, 'Packages'), paragraphs.join('\n'));
}
