import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxPlan } from './plan.ts';
import { resolvConf } from './resolv-conf.ts';

/** Writes the `hosts` and `resolv.conf` that a step sees into `folder`; gives their paths. */
export function writeEtcFiles(plan: SandboxPlan, folder: string): { hostsFile: string; resolvFile: string } {
  const hostsFile = join(folder, 'hosts');
  const resolvFile = join(folder, 'resolv.conf');
  writeFileSync(hostsFile, hostsText(plan), { mode: 0o644 });
  writeFileSync(resolvFile, resolvConf(plan), { mode: 0o644 });
  return { hostsFile, resolvFile };
}

/** The step's own name is among them: sudo looks it up. */
export function hostsText({ hostname, hosts }: Pick<SandboxPlan, 'hostname' | 'hosts'>): string {
  const lines = [
    `127.0.0.1\tlocalhost ${hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...hosts.map((line) => line.trim().split(/\s+/).join('\t')),
  ];
  return `${lines.join('\n')}\n`;
}
