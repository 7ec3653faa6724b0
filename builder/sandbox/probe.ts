import { existsSync, readFileSync } from 'node:fs';
import { BuildError } from '../../src/core/errors.ts';
import type { Place } from '../../src/core/place.ts';

/** A setting of this machine, by its file: its trimmed text, or undefined. */
export type ReadSetting = (path: string) => string | undefined;

/**
 * Why no step can run here, with the setting that is missing. Builds without RUN need no namespace and go on. The
 * launcher's attempt has already failed (`place.why`); this only looks for the reason.
 */
export function whyNoNamespace(place: Place, read: ReadSetting = readSetting): BuildError {
  const said = place.why === undefined ? '' : `: ${place.why.split('\n')[0]}`;
  return new BuildError('sandbox', `RUN needs a user namespace, and none could be made${said}`, {
    hint: hintFrom(place, read),
  });
}

function hintFrom(place: Place, read: ReadSetting): string {
  const why = place.why ?? '';
  if (read('/proc/sys/user/max_user_namespaces') === '0') {
    return 'The machine allows none: sudo sysctl -w user.max_user_namespaces=15000';
  }
  if (read('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return 'Only root may make them here: sudo sysctl -w kernel.unprivileged_userns_clone=1';
  }
  if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return 'AppArmor takes their rights away: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';
  }
  if (/not found/.test(why))
    return 'Install util-linux and the package with newuidmap: uidmap (Debian, Ubuntu), shadow-utils (Fedora).';
  if (/newuidmap|newgidmap|map|subuid|subgid/.test(why)) {
    return `The user ${place.uid} needs a range of ids: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER, and the package uidmap.`;
  }
  return 'In a container, namespaces must be allowed: its seccomp and AppArmor profiles unconfined, no_new_privs off.';
}

function readSetting(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
