import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './programs.ts';
import { once, sharedFolder } from './shared.ts';

/** A person without privileges but with ranges in /etc/subuid and /etc/subgid. */
export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The installed command. */
  readonly tsbuild: string;
}

/**
 * The user `tsbuild-test`, made when absent, with the package packed from this checkout installed by npm in a folder
 * of this run's (scripts/ordinary-user.mjs). Needs root, useradd and npm's registry.
 */
export async function ordinaryUser(): Promise<OrdinaryUser> {
  const folder = await once('ordinary-user', async (temporary) => {
    const installed = join(sharedFolder(), 'installed');
    const script = [process.execPath, 'scripts/ordinary-user.mjs', 'tsbuild-test', installed];
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: process.env.TSBUILD_TEST_CA_CERTS };
    const made = await must(script, { env });
    writeFileSync(join(temporary, 'user.json'), made);
  });
  return JSON.parse(readFileSync(join(folder, 'user.json'), 'utf8')) as OrdinaryUser;
}

/** The command line that runs `command` as the user in place: same pid, so signals reach it. */
export function asUser(user: Pick<OrdinaryUser, 'uid' | 'gid'>, command: readonly string[]): string[] {
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--', ...command];
}

/** What a login would give, and the few settings of this machine by which downloads work. */
export function environmentOf(user: Pick<OrdinaryUser, 'name' | 'home'>): Record<string, string> {
  const kept = Object.entries(process.env).filter(([key]) => /^SSL_CERT_|_proxy$/i.test(key));
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
