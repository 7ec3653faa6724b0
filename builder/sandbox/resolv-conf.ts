import { readFileSync } from 'node:fs';
import { errnoOf } from '../../src/core/errors.ts';
import type { SandboxPlan } from './plan.ts';

type Asked = Pick<SandboxPlan, 'dns' | 'dnsSearch' | 'dnsOptions'>;

/**
 * The resolv.conf of a step: this machine's, with what was asked for in place of the lines of that kind. A search domain
 * `.` stands for none at all.
 */
export function resolvConf(asked: Asked, machine = machineText()): string {
  const search = asked.dnsSearch?.filter((domain) => domain !== '.');
  const replaced: readonly (readonly [RegExp, readonly string[] | undefined])[] = [
    [/^\s*nameserver\b/, asked.dns?.map((server) => `nameserver ${server}`)],
    [/^\s*(?:search|domain)\b/, search && oneLine('search', search)],
    [/^\s*options\b/, asked.dnsOptions && oneLine('options', asked.dnsOptions)],
  ];
  const given = replaced.filter(([, lines]) => lines !== undefined);
  if (given.length === 0) return machine;
  const kept = machine.split('\n').filter((line) => !given.some(([kind]) => kind.test(line)));
  return `${[...kept, ...given.flatMap(([, lines]) => lines!)].filter((line) => line !== '').join('\n')}\n`;
}

/**
 * The machine's name servers that another network namespace can reach as well: not those on its loopback, as
 * systemd-resolved and dnsmasq have them.
 */
export function reachableNameServers(machine = machineText()): readonly string[] {
  const all = [...machine.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  return all.filter((server) => !/^127\.|^::1$|^::ffff:127\.|^fe80:/i.test(server));
}

function oneLine(word: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`${word} ${values.join(' ')}`];
}

function machineText(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
