// What recorded owners cost: an install where one id exists beside one with a range of ids, and `chown -R` over 20,000
// files, both as an ordinary user.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { quiet } from '../machine.mjs';
import { asUser, environmentOf } from '../ordinary-user.mjs';
import { aptSources, context } from './inputs.mjs';
import { summary } from './summary.mjs';

export const ownerNames = ['install', 'chown20k'];

/** Their scripts change owners, groups, modes and capabilities. */
const packages = [
  ...['openssh-server', 'sudo', 'dbus', 'nginx-light', 'postfix', 'man-db', 'postgresql-common'],
  ...['iputils-ping', 'libcap2-bin', 'cron'],
];

const measures = { install: measureInstall, chown20k: measureChown };

/** Measures the row `name`; `base` is an image with apt, `user` has a range of ids. */
export function measureOwners(name, around) {
  return { name, ...measures[name](around) };
}

function measureInstall(around) {
  const { folder, base, runs } = around;
  const files = debs(folder);
  const names = readdirSync(files).map((file) => `/packages/${file}`);
  const install = `DEBIAN_FRONTEND=noninteractive apt-get -qq install -y ${names.join(' ')}`;
  const path = context(
    folder,
    'install',
    `FROM ${base}\nRUN --mount=from=packages,target=/packages ${install}\n`,
  );
  quiet(['chmod', '-R', 'a+rX', folder]);
  const times = { single: [], subuid: [] };
  for (let run = 0; run <= runs; run += 1)
    for (const isolation of ['subuid', 'single']) {
      const start = process.hrtime.bigint();
      build(around, {
        path,
        isolation,
        flags: ['--network', 'none', '--build-context', `packages=${files}`],
      });
      if (run > 0) times[isolation].push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  const [ours, theirs] = [summary(times.single), summary(times.subuid)];
  const ratio = ours.median / theirs.median;
  const about = 'ten packages from local files, where one id exists against a range of ids';
  return { about, tsbuild: ours, node: theirs, ratio, target: 1.3, reached: ratio <= 1.3 };
}

const scriptOfChown = `for d in $(seq 200); do mkdir -p /many/$d; (cd /many/$d; touch $(seq 100)); done
begin=$(date +%s%N); chown -R 33:33 /many; echo "took $(($(date +%s%N) - begin)) ns"`;

function measureChown(around) {
  const { folder, base, runs } = around;
  const path = context(folder, 'chown20k', `FROM ${base}\nRUN <<EOF\n${scriptOfChown}\nEOF\n`);
  quiet(['chmod', '-R', 'a+rX', folder]);
  const times = Array.from({ length: runs + 1 }, () => {
    const told = build(around, { path, isolation: 'single', flags: ['--network', 'none'] });
    return Number(/took (\d+) ns/.exec(told)[1]) / 1e6;
  });
  const ours = summary(times.slice(1));
  const about = 'chown -R over 20,000 files where one id exists, in seconds';
  return { about, tsbuild: ours, target: 1, reached: ours.median < 1000 };
}

/** Builds without the cache; gives all that was said. */
function build({ user }, { path, isolation, flags }) {
  const store = join(user.home, 'bench', `owners-${isolation}`);
  const words = ['build', '--root', store, '--no-cache', '--isolation', isolation, '--progress', 'plain'];
  const command = asUser(user, [user.tsbuild, ...words, ...flags, path]);
  const options = { env: environmentOf(user), cwd: user.home };
  return quiet(['sh', '-c', '"$@" 2>&1', 'sh', ...command], options);
}

/** The packages with all that they need, downloaded once. */
function debs(folder) {
  const path = join(folder, 'packages');
  if (existsSync(path)) return path;
  mkdirSync(path);
  const download = `chroot "$1" apt-get install -qq -y --no-install-recommends --download-only ${packages.join(' ')}`;
  const hooks = [download, `cp "$1"/var/cache/apt/archives/*.deb '${path}'`];
  const { release, sources } = aptSources();
  const words = hooks.map((hook) => `--customize-hook=${hook}`);
  quiet(['mmdebstrap', '--quiet', '--variant=apt', ...words, release, '/dev/null', ...sources]);
  return path;
}
