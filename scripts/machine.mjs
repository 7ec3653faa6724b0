// What the scripts ask of the machine: which programs are there, and apt for those that are not.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const isRoot = process.getuid?.() === 0;

/** Runs a command with its output on ours; gives the exit code. */
export function show(command, options = {}) {
  return spawnSync(command[0], command.slice(1), { cwd: root, stdio: 'inherit', ...options }).status ?? 1;
}

/** Runs a command quietly; an exit other than 0 prints what it said and throws. */
export function quiet(command, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command[0], command.slice(1), {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (status === 0) return stdout;
  throw new Error(`${command.join(' ')} failed\n${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`);
}

/** A busybox counts only when it is static: it must run in an image that holds nothing else. */
export function has(program) {
  if (program === 'busybox') return busybox() !== undefined;
  return spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', program]).status === 0;
}

/** The path of a static busybox, undefined where there is none. */
export function busybox() {
  const files = ['/bin/busybox', '/usr/bin/busybox', '/usr/lib/busybox/busybox-static'];
  return files.find((file) => existsSync(file) && spawnSync('ldd', [file]).status !== 0);
}

/** Stops with one sentence when Node is too old for the development tools. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Node ${process.versions.node} is too old: the development tools need 20.19 or newer`);
}

/** The npm packages of the lock file, when they are not there yet. */
export function installNpmPackages() {
  if (existsSync(join(root, 'node_modules/.package-lock.json'))) return;
  console.log('Installing the npm packages');
  // Optional packages that must be compiled may fail: everything works without them.
  quiet(['npm', 'ci', '--no-audit', '--no-fund']);
}

/**
 * Installs Debian packages by apt, by name of the program they bring: `{ program: 'package' }`. Gives the packages
 * that are still missing: all of them where we may not install (not root, or no apt).
 */
export function installSystemPackages(packages) {
  const missing = () => [
    ...new Set(Object.entries(packages).flatMap(([program, name]) => (has(program) ? [] : [name]))),
  ];
  const wanted = missing();
  if (wanted.length === 0 || !isRoot || !has('apt-get')) return wanted;
  console.log(`Installing ${wanted.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  withoutServices(() => {
    spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
    // One at a time where all together fail: an older system may not have every package.
    const install = (names) =>
      spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
        env,
        encoding: 'utf8',
      });
    if (install(wanted).status === 0) return;
    for (const name of wanted) if (install([name]).status !== 0) console.log(`apt cannot install ${name}`);
  });
  return missing();
}

/** Packages may start a service when they are installed; policy-rc.d tells them not to while `work` runs. */
function withoutServices(work) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

/** The command that a person runs where we may not. */
export function installCommand(packages) {
  const sudo = isRoot ? '' : 'sudo ';
  return `${sudo}apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/** A folder for the time that `work` takes. */
export async function withFolder(prefix, work) {
  const folder = mkdtempSync(join(tmpdir(), `${prefix}-`));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
