import { readFileSync } from 'node:fs';

/** Capability names in the order of their numbers (linux/capability.h). */
const names: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
];

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
