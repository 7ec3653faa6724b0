// A person without privileges but with ranges in /etc/subuid and /etc/subgid, and the package installed in that
// name. `node scripts/ordinary-user.mjs NAME FOLDER` (as root) makes both and prints them as JSON.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quiet, withFolder } from './machine.mjs';

const rangeSize = 65536;

/** Makes the user when it is absent; gives `{ name, uid, gid, home }`. Needs root. */
export function createUser(name) {
  const known = new RegExp(`^${name}:`, 'm');
  if (!known.test(readFileSync('/etc/passwd', 'utf8')))
    quiet(['useradd', '--create-home', '--shell', '/bin/sh', name]);
  for (const [file, flag] of [
    ['/etc/subuid', '--add-subuids'],
    ['/etc/subgid', '--add-subgids'],
  ]) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (!known.test(text)) quiet(['usermod', flag, freeRange(text), name]);
  }
  const fields = quiet(['getent', 'passwd', name]).trim().split(':');
  return { name, uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] };
}

/** The command line that runs `command` as the user in place: same pid, so signals reach it. */
export function asUser(user, command) {
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--', ...command];
}

/** What a login would give, and the few settings of this machine by which downloads work. */
export function environmentOf(user) {
  const kept = Object.entries(process.env).filter(([key]) => /^(SSL_CERT_|NODE_EXTRA_CA)|_proxy$/i.test(key));
  const { name, home } = user;
  return {
    ...Object.fromEntries(kept),
    PATH: process.env.PATH,
    HOME: home,
    USER: name,
    LOGNAME: name,
    LANG: 'C.UTF-8',
  };
}

/**
 * Packs this checkout (dist/ must be built) and installs it by npm in the folder `prefix`, install scripts off: the
 * package must work without them. Gives the path of the command.
 */
export async function installPackage(user, prefix) {
  await withFolder('tsbuild-pack', (folder) => {
    const packed = quiet(['npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder]);
    const file = packed.trim().split('\n').at(-1);
    rmSync(prefix, { recursive: true, force: true });
    mkdirSync(prefix);
    copyFileSync(join(folder, file), join(prefix, file));
    quiet(['chown', '-R', `${user.uid}:${user.gid}`, prefix]);
    const registry = quiet(['npm', 'config', 'get', 'registry']).trim();
    const npm = ['npm', 'install', '--prefix', prefix, '--registry', registry, join(prefix, file)];
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
    quiet(asUser(user, [...npm, ...flags]), { cwd: prefix, env: environmentOf(user) });
  });
  return join(prefix, 'node_modules/.bin/tsbuild');
}

/** The first range above all that are given out. */
function freeRange(text) {
  const ends = [...text.matchAll(/^[^:]+:(\d+):(\d+)/gm)].map(
    ([, start, count]) => Number(start) + Number(count),
  );
  const start = Math.max(100_000, ...ends);
  return `${start}-${start + rangeSize - 1}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, folder] = process.argv.slice(2);
  const user = createUser(name);
  console.log(JSON.stringify({ ...user, tsbuild: await installPackage(user, folder) }));
}
