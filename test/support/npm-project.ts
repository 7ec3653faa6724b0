import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { must } from './programs.ts';
import { once } from './shared.ts';

/** What `npm ci` needs in an image that has no Node, without a network. */
export interface NpmProject {
  /** A folder with package.json, a lock file, and the packages in `vendor`. */
  readonly app: string;
  /** This machine's Node and npm, as they lie below /usr/local. */
  readonly node: string;
}

/** How many packages the lock file names. */
const packageCount = 40;

/** Made once for a run of all tests. */
export async function npmProject(): Promise<NpmProject> {
  const folder = await once('npm-project', async (temporary) => {
    const app = join(temporary, 'app');
    mkdirSync(join(app, 'vendor'), { recursive: true });
    const dependencies: Record<string, string> = {};
    for (let n = 0; n < packageCount; n += 1) dependencies[`part-${n}`] = await pack(app, n);
    writeFileSync(
      join(app, 'package.json'),
      JSON.stringify({ name: 'app', version: '1.0.0', dependencies }, null, 2),
    );
    const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--offline'];
    const cache = ['--cache', join(temporary, 'cache')];
    await must(['npm', 'install', '--package-lock-only', ...quiet, ...cache], { cwd: app });
    rmSync(join(temporary, 'cache'), { recursive: true, force: true });
    await layOutNode(join(temporary, 'node'));
    await must(['chmod', '-R', 'a+rX', temporary]);
  });
  return { app: join(folder, 'app'), node: join(folder, 'node') };
}

/** One package as a tar: a program, a script that runs after its installation, files of somebody else's. */
async function pack(app: string, n: number): Promise<string> {
  const folder = join(app, 'vendor', 'package');
  mkdirSync(join(folder, 'lib'), { recursive: true });
  const scripts = n % 10 === 0 ? { postinstall: 'id -u > installed-by' } : {};
  const manifest = { name: `part-${n}`, version: '1.0.0', bin: { [`part-${n}`]: 'bin.js' }, scripts };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'bin.js'), '#!/usr/bin/env node\n', { mode: 0o755 });
  for (let file = 0; file < 20; file += 1)
    writeFileSync(join(folder, `lib/${file}.js`), `export default ${n};\n`);
  const tar = `part-${n}.tgz`;
  const owner = ['--owner=1234', '--group=4321', '--numeric-owner', '--mtime=@1000000000', '--sort=name'];
  await must(['tar', '-C', join(app, 'vendor'), ...owner, '-czf', join(app, 'vendor', tar), 'package']);
  rmSync(folder, { recursive: true });
  return `file:vendor/${tar}`;
}

async function layOutNode(folder: string): Promise<void> {
  const npm = dirname(dirname(realpathSync(await which('npm'))));
  mkdirSync(join(folder, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'lib/node_modules'), { recursive: true });
  cpSync(process.execPath, join(folder, 'bin/node'));
  cpSync(npm, join(folder, 'lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  await must(['ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'bin/npm')]);
}

async function which(program: string): Promise<string> {
  return (await must(['sh', '-c', 'command -v "$0"', program])).trim();
}
