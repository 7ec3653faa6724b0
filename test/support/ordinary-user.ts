import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './programs.ts';
import { once } from './shared.ts';

/** A person without privileges but with ranges in /etc/subuid and /etc/subgid. */
export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The installed command. */
  readonly tsbuild: string;
}

const name = 'tsbuild-test';
const rangeSize = 65536;

/**
 * The user `tsbuild-test`, made when absent, with the package packed from this checkout installed in its own home by
 * npm (install scripts off: the package must work without them). Needs root, useradd and npm's registry.
 */
export async function ordinaryUser(): Promise<OrdinaryUser> {
  await once('ordinary-user', async (temporary) => {
    await createUser();
    await installPackage(temporary, await lookUp());
  });
  const user = await lookUp();
  return { ...user, tsbuild: join(user.home, 'installed/node_modules/.bin/tsbuild') };
}

/** The command line that runs `command` as the user in place: same pid, so signals reach it. */
export function asUser(user: Pick<OrdinaryUser, 'uid' | 'gid'>, command: readonly string[]): string[] {
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--', ...command];
}

/** What a login would give, and the few settings of this machine by which downloads work. */
export function environmentOf(user: Pick<OrdinaryUser, 'name' | 'home'>): Record<string, string> {
  const kept = Object.entries(process.env).filter(([key]) => /^(SSL_CERT_|NODE_EXTRA_CA)|_proxy$/i.test(key));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    LANG: 'C.UTF-8',
  };
}

/** A private folder in the user's home, removed at the end of the block that holds it. */
export async function userFolder(user: OrdinaryUser): Promise<AsyncDisposable & { readonly path: string }> {
  const path = mkdtempSync(join(user.home, 'work-'));
  await must(['chown', `${user.uid}:${user.gid}`, path]);
  return {
    path,
    [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

async function createUser(): Promise<void> {
  const known = /^tsbuild-test:/m;
  if (!known.test(readFileSync('/etc/passwd', 'utf8')))
    await must(['useradd', '--create-home', '--shell', '/bin/sh', name]);
  for (const [file, flag] of [
    ['/etc/subuid', '--add-subuids'],
    ['/etc/subgid', '--add-subgids'],
  ] as const) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (!known.test(text)) await must(['usermod', flag, freeRange(text), name]);
  }
}

/** The first range above all that are given out. */
function freeRange(text: string): string {
  const ends = [...text.matchAll(/^[^:]+:(\d+):(\d+)/gm)].map(
    ([, start, count]) => Number(start) + Number(count),
  );
  const start = Math.max(100_000, ...ends);
  return `${start}-${start + rangeSize - 1}`;
}

async function lookUp(): Promise<Omit<OrdinaryUser, 'tsbuild'>> {
  const fields = (await must(['getent', 'passwd', name])).trim().split(':');
  return { name, uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] ?? '' };
}

async function installPackage(temporary: string, user: Omit<OrdinaryUser, 'tsbuild'>): Promise<void> {
  const packed = await must(['npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', temporary]);
  const file = packed.trim().split('\n').at(-1) ?? '';
  const prefix = join(user.home, 'installed');
  rmSync(prefix, { recursive: true, force: true });
  mkdirSync(prefix);
  copyFileSync(join(temporary, file), join(prefix, file));
  await must(['chown', '-R', `${user.uid}:${user.gid}`, prefix]);
  const registry = (await must(['npm', 'config', 'get', 'registry'])).trim();
  const npm = ['npm', 'install', '--prefix', prefix, '--registry', registry];
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  const options = { cwd: prefix, env: environmentOf(user) };
  await must(asUser(user, [...npm, ...quiet, join(prefix, file)]), options);
}
