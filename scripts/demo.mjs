// `npm run demo`: installs what is missing where it may, builds tsbuild, builds a real multi-stage image with RUN
// steps as an ordinary user where it can, runs it, and builds it again from the cache. Needs no network but npm's
// registry and the system's packages.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  busybox,
  checkNode,
  has,
  installCommand,
  installNpmPackages,
  installSystemPackages,
  isRoot,
  quiet,
  root,
} from './machine.mjs';
import { asUser, createUser, environmentOf, installPackage } from './ordinary-user.mjs';

const packages = { crun: 'crun', newuidmap: 'uidmap', busybox: 'busybox-static', setpriv: 'util-linux' };
const image = 'demo:latest';

try {
  await demo();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function demo() {
  checkNode();
  installNpmPackages();
  const missing = installSystemPackages(packages);
  if (missing.length > 0)
    throw new Error(`These packages are missing; please run\n\n  ${installCommand(missing)}\n`);
  headline('Building tsbuild');
  quiet([process.execPath, 'scripts/build.mjs']);
  const person = isRoot ? await ordinaryPerson() : ourselves();
  try {
    const folder = layOut(person);
    const build = [person.tsbuild, '-t', image, folder];
    headline(`Building an image of three stages as ${person.name}`);
    // An earlier demo must not make this one look faster than it is.
    const first = timed(person, [person.tsbuild, '--no-cache', ...build.slice(1)]);
    headline('Running it');
    timed(person, [person.tsbuild, 'run', '--rm', image]);
    headline('Building it again: nothing changed');
    const second = timed(person, build);
    headline(`First build ${seconds(first)}, second build ${seconds(second)}.`);
    console.log(`The image is in ${person.store}; try\n\n  ${again(person)}\n`);
  } finally {
    rmSync(join(person.home, 'demo'), { recursive: true, force: true });
  }
}

/** For root, a person of its own who has no privileges; made once. */
async function ordinaryPerson() {
  const user = createUser('tsbuild-demo');
  console.log(`Packing tsbuild and installing it for the ordinary user ${user.name}`);
  const tsbuild = await installPackage(user, join(user.home, 'installed'));
  const command = (line) => asUser(user, line);
  return {
    ...user,
    tsbuild,
    command,
    env: environmentOf(user),
    store: '~/.local/share/tsbuild of that user',
  };
}

function ourselves() {
  const home = join(root, '.demo');
  mkdirSync(home, { recursive: true });
  const name = process.env.USER ?? 'you';
  const store = process.env.XDG_DATA_HOME ?? '~/.local/share';
  const tsbuild = join(root, 'bin/tsbuild');
  return { name, home, tsbuild, command: (line) => line, env: process.env, store: `${store}/tsbuild` };
}

/** The context: testdata/demo and the one program that it needs, for there is no base image to download. */
function layOut(person) {
  const folder = join(person.home, 'demo');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(root, 'testdata/demo'), folder, { recursive: true });
  cpSync(busybox(), join(folder, 'busybox'), { dereference: true });
  if (isRoot) quiet(['chown', '-R', `${person.uid}:${person.gid}`, folder]);
  return folder;
}

function headline(text) {
  console.log(`\n\u001b[1m${text}\u001b[0m`);
}

/** Shows a command, runs it as the person with its output on ours, and gives its time in milliseconds. */
function timed(person, command) {
  console.log(`$ ${['tsbuild', ...command.slice(1)].join(' ')}`);
  const [program, ...args] = person.command(command);
  const start = process.hrtime.bigint();
  const { status, signal } = spawnSync(program, args, {
    cwd: person.home,
    env: person.env,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`tsbuild ended with ${signal ?? `exit ${status}`}`);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}

function again(person) {
  const line = `${person.tsbuild} run --rm -it ${image} sh`;
  return isRoot && has('su') ? `su ${person.name} -c '${line}'` : line;
}
