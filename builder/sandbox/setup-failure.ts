import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { BuildError } from '../../src/core/errors.ts';
import { stepKernel } from './kernel.ts';
import { OverlayRefusal } from './overlay-mount.ts';
import type { Call } from './program/calls.ts';
import type { Failure } from './program/start.ts';

/** What keeps a step from starting: the call that failed before the command ran. */
export function setupFailure({ call, errno }: Failure): BuildError {
  if (isOverlay(call) && refusals.includes(errno)) return new OverlayRefusal(errno);
  const reason = `could not ${call.about ?? call.name}: ${errnoText(errno)}`;
  return new BuildError('sandbox', `the step could not be set up: ${reason}`, hintFor(reason));
}

/** `no such file or directory` for ENOENT. */
export function errnoText(errno: string): string {
  const number = (constants.errno as Readonly<Record<string, number>>)[errno];
  return getSystemErrorMap().get(-(number ?? 0))?.[1] ?? errno;
}

/** A full disk or a missing layer is no refusal. */
const refusals: readonly string[] = ['EINVAL', 'EPERM', 'EACCES', 'ENODEV', 'ENOTSUP', 'EREMOTE'];

function isOverlay({ name, args }: Call): boolean {
  return name === 'mount' && args[2] === 'overlay';
}

/** What helps against a failure, by its words. */
export function hintFor(reason: string): { readonly hint?: string } {
  const known = hints.find(([pattern]) => pattern.test(reason));
  return known === undefined ? {} : { hint: known[1] };
}

const hints: readonly (readonly [RegExp, string])[] = [
  // With a terminal crun sometimes loses its own words about a command that is not there.
  [/read FD: connection closed/, 'Check that the command is in the image: without -t it is told plainly.'],
  [
    /function not implemented/,
    `The kernel lacks a call that steps need: they want Linux ${stepKernel} or newer.`,
  ],
  [
    /mount.*proc.*(?:permitted|denied)/i,
    'In a container /proc must not be masked: docker run --security-opt systempaths=unconfined, or procMount: Unmasked in Kubernetes.',
  ],
  [
    /overlay/i,
    'The store must lie on a file system that overlay can write to (ext4, xfs, btrfs, tmpfs), not on another overlay: choose one with --root.',
  ],
  [
    /read-only file system/i,
    'A mount lies in another one that is read-only: add rw to the outer one, or make the place in its source.',
  ],
  [
    /give \S+ to \d+:\d+: invalid|take the (?:user|groups?) |setresuid|setgroups|setresgid|invalid argument.*uid/i,
    'The id is outside the ranges in /etc/subuid and /etc/subgid.',
  ],
  [
    /namespaces?: |unshare.*(?:permitted|denied|no space)/i,
    'Namespaces are refused here: see user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns.',
  ],
];
