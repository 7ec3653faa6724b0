import { readFileSync } from 'node:fs';
import { capabilityNames as names } from '../../src/core/capability-names.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { SandboxPlan } from './plan.ts';

/** What a step holds: Docker's default set, 0xa80425fb as a mask. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/**
 * What the processes of a step may hold: docker's default set, changed as `rights` say, or all of `held` for
 * `--security=insecure`; never more than `held`. Fails with `sandbox` where a capability is asked for by name that is
 * not among those.
 */
export function boundingSet(
  { insecure, rights = {} }: Pick<SandboxPlan, 'insecure' | 'rights'>,
  held: readonly string[],
): readonly string[] {
  if (insecure) return held;
  const { add = [], drop = [] } = rights;
  const missing = add.find((name) => name !== 'ALL' && !drop.includes(name) && !held.includes(name));
  if (missing !== undefined) throw notHeld(missing);
  const usual = drop.includes('ALL') ? [] : defaultCapabilities;
  const wanted = new Set([...usual, ...(add.includes('ALL') ? held : add)]);
  return held.filter((name) => wanted.has(name) && !drop.includes(name));
}

function notHeld(name: string): BuildError {
  return new BuildError('sandbox', `--cap-add ${name}: nobody can give it who does not hold it`, {
    hint: '`tsbuild doctor` tells what this machine allows; another --isolation may have it.',
  });
}

/** The names in a mask as `/proc/PID/status` writes it; numbers that are not known here are left out. */
export function capabilitiesOf(mask: string): readonly string[] {
  const bits = BigInt(`0x${mask}`);
  return names.filter((_, number) => (bits >> BigInt(number)) & 1n);
}

/** The mask of a set of names, sixteen digits as in `/proc/PID/status`. */
export function maskOf(capabilities: readonly string[]): string {
  const bits = capabilities.reduce((sum, name) => sum | (1n << BigInt(names.indexOf(name))), 0n);
  return bits.toString(16).padStart(16, '0');
}

/** The number of a capability. */
export function capabilityNumber(name: string): number {
  return names.indexOf(name);
}

/** What this process could hand on: permitted and in the bounding set. */
export function heldCapabilities(status = readFileSync('/proc/self/status', 'utf8')): readonly string[] {
  const mask = (field: string): string =>
    new RegExp(`^${field}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0';
  const bounding = capabilitiesOf(mask('CapBnd'));
  return capabilitiesOf(mask('CapPrm')).filter((name) => bounding.includes(name));
}
