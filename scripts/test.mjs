// `npm test`: installs what is missing where it may, then types, lint, unused code, build and all tests. The last
// line is `N passed, N failed, N skipped`; every check counts as one, and a failure makes the exit code 1.
import { join } from 'node:path';
import {
  checkNode,
  installCommand,
  installNpmPackages,
  installSystemPackages,
  isRoot,
  show,
  withFolder,
} from './machine.mjs';
import { runProject } from './vitest-project.mjs';

/** Program → Debian package. */
const systemPackages = {
  crun: 'crun',
  runc: 'runc',
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  umoci: 'umoci',
  buildah: 'buildah',
  podman: 'podman',
  mmdebstrap: 'mmdebstrap',
  busybox: 'busybox-static',
  newuidmap: 'uidmap',
  slirp4netns: 'slirp4netns',
  pasta: 'passt',
  ip: 'iproute2',
  git: 'git',
  tmux: 'tmux',
  openssl: 'openssl',
  xz: 'xz-utils',
  bzip2: 'bzip2',
  zstd: 'zstd',
  getfattr: 'attr',
  setcap: 'libcap2-bin',
  unshare: 'util-linux',
  ps: 'procps',
  python3: 'python3',
  zsh: 'zsh',
  fish: 'fish',
  mandoc: 'mandoc',
  'ssh-keygen': 'openssh-client',
  sshd: 'openssh-server',
  rpmbuild: 'rpm',
  'qemu-aarch64-static': 'qemu-user-static',
};

const checks = [
  ['types', ['node_modules/.bin/tsc', '-p', 'tsconfig.json', '--noEmit']],
  ['types of the page', ['node_modules/.bin/tsc', '-p', 'src/report/html/client', '--noEmit']],
  ['lint', ['node_modules/.bin/biome', 'check', '.']],
  ['unused code', ['node_modules/.bin/knip']],
  ['build', [process.execPath, 'scripts/build.mjs']],
];

const sum = { passed: 0, failed: 0, skipped: 0 };

try {
  checkNode();
  installNpmPackages();
  const missing = installSystemPackages(systemPackages);
  if (missing.length > 0)
    console.log(`Tests that need these packages are skipped; to run them: ${installCommand(missing)}`);
  if (!isRoot)
    console.log('Not root: tests as another user and comparisons with other builders are skipped.');
  for (const [name, command] of checks) check(name, command);
  await withFolder('tsbuild-results', (folder) => {
    for (const project of ['unit', 'integration', 'e2e'])
      runProject(project, join(folder, `${project}.json`), sum);
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  sum.failed += 1;
}
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;

function check(name, command) {
  console.log(`\n== ${name}`);
  const code = show(command);
  if (code === 0) sum.passed += 1;
  else sum.failed += 1;
  console.log(code === 0 ? `${name}: fine` : `${name}: failed with exit ${code}`);
}
