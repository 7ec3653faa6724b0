import { isIP } from 'node:net';
import type { Option } from 'commander';
import { capabilityNames } from '../core/capability-names.ts';
import { usageError } from '../core/errors.ts';
import type { Dns, Limits, ProcessOptions } from '../core/options.ts';
import { choice, flag, list, withChoices } from './flags.ts';
import { type RightsFlags, rightsOf } from './rights.ts';
import { parseHost, parseUlimit } from './sources.ts';
import { parseChoice, parseCount, parseSize } from './values.ts';

/** What processes may reach and use, as flags of every command that starts some. */
export interface ProcessFlags extends RightsFlags {
  readonly network?: string;
  readonly addHost?: readonly string[];
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOption?: readonly string[];
  readonly memory?: string;
  readonly memorySwap?: string;
  readonly cpus?: string;
  readonly cpuQuota?: string;
  readonly cpuPeriod?: string;
  readonly cpusetCpus?: string;
  readonly pidsLimit?: string;
  readonly ulimit?: readonly string[];
  readonly shmSize?: string;
}

const capabilityWords = ['ALL', ...capabilityNames.map((name) => name.slice('CAP_'.length))];

export function processFlags(): readonly Option[] {
  return [
    choice('--network <mode>', 'what it can reach: host (default), none, or private: a network of its own', [
      'host',
      'none',
      'private',
    ]),
    list('--add-host <name:ip>', 'a line more in /etc/hosts; host-gateway as ip is this machine'),
    list('--dns <ip>', "a name server, instead of this machine's"),
    list('--dns-search <domain>', 'a domain to look up names in; . for none'),
    list('--dns-option <option>', 'an option of resolv.conf'),
    flag('-m, --memory <size>', 'how much memory it may use, such as 2g'),
    flag(
      '--memory-swap <size>',
      'memory and swap together; -1 for unlimited swap (default: twice the memory)',
    ),
    flag('--cpus <number>', 'how much processor time it may use, such as 1.5'),
    flag('--cpu-quota <time>', 'microseconds of processor time in each period'),
    flag('--cpu-period <time>', 'how long that period is (default: 100000)'),
    flag('--cpuset-cpus <list>', 'the processors it may use, such as 0-2'),
    flag('--pids-limit <count>', 'how many processes and threads it may have; -1 for no limit'),
    list('--ulimit <name=soft:hard>', 'a limit of each process, such as nofile=1024:2048'),
    flag('--shm-size <size>', 'size of /dev/shm, such as 64m'),
    withChoices(
      list('--cap-add <capability>', 'let it have a capability besides the usual ones'),
      capabilityWords,
    ),
    withChoices(
      list('--cap-drop <capability>', 'take a capability away from it; ALL for every one'),
      capabilityWords,
    ),
    withChoices(
      list('--security-opt <option>', 'seccomp=unconfined (no system call is refused), no-new-privileges'),
      ['seccomp=unconfined', 'no-new-privileges'],
    ),
  ];
}

/** Fails with `usage`; every message names the flag. */
export function processOptions(flags: ProcessFlags): ProcessOptions {
  return {
    network: networkOf(flags.network ?? 'host'),
    addHosts: (flags.addHost ?? []).map(parseHost),
    dns: dnsOf(flags),
    ulimits: (flags.ulimit ?? []).map(parseUlimit),
    limits: limitsOf(flags),
    ...rightsOf(flags),
    ...(flags.shmSize !== undefined && { shmSize: parseSize('--shm-size', flags.shmSize) }),
  };
}

/** `default` is what docker calls the network that a builder has anyway. */
function networkOf(text: string): ProcessOptions['network'] {
  const network = parseChoice('--network', text, ['host', 'none', 'private', 'default'] as const);
  return network === 'default' ? 'host' : network;
}

function dnsOf({ dns, dnsSearch, dnsOption }: ProcessFlags): Dns {
  return {
    ...(dns && { servers: dns.map(parseNameServer) }),
    ...(dnsSearch && { search: dnsSearch.map((text) => oneWord('--dns-search', text)) }),
    ...(dnsOption && { options: dnsOption.map((text) => oneWord('--dns-option', text)) }),
  };
}

function parseNameServer(text: string): string {
  if (isIP(text) !== 0) return text;
  throw usageError(
    `--dns '${text}' is not an address`,
    'Write --dns 192.0.2.53: a name server by its number.',
  );
}

function oneWord(name: string, text: string): string {
  if (/^[^\s]+$/.test(text)) return text;
  throw usageError(`${name} '${text}' is not one word`, `Repeat ${name} for each.`);
}

function limitsOf(flags: ProcessFlags): Limits {
  const memoryBytes = flags.memory === undefined ? undefined : parseMemory(flags.memory);
  const swapBytes = swapOf(flags.memorySwap, memoryBytes);
  const cpu = cpuOf(flags);
  const pids = pidsOf(flags.pidsLimit);
  return {
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(swapBytes !== undefined && { swapBytes }),
    ...(cpu !== undefined && { cpu }),
    ...(flags.cpusetCpus !== undefined && { cpuset: parseProcessors(flags.cpusetCpus) }),
    ...(pids !== undefined && { pids }),
  };
}

/** With less than this not even a shell starts; docker draws the line there too. */
const LEAST_MEMORY = 6 * 1024 * 1024;

/** As docker has it, 0 is no limit. */
function parseMemory(text: string): number | undefined {
  const bytes = parseSize('--memory', text);
  if (bytes === 0) return undefined;
  if (bytes >= LEAST_MEMORY) return bytes;
  throw usageError(`--memory '${text}' is less than a step can start with`, 'Give it 6m or more.');
}

/** docker's number is memory and swap together. */
function swapOf(text: string | undefined, memoryBytes: number | undefined): Limits['swapBytes'] {
  if (text === undefined || text === '0') return undefined;
  if (memoryBytes === undefined) throw usageError('--memory-swap needs --memory', 'Add --memory SIZE.');
  if (text === '-1') return 'unlimited';
  const both = parseSize('--memory-swap', text);
  if (both >= memoryBytes) return both - memoryBytes;
  throw usageError(
    `--memory-swap '${text}' is less than --memory`,
    'It counts both together: the same as --memory allows no swap.',
  );
}

const PERIOD_US = 100_000;

function cpuOf({ cpus, cpuQuota, cpuPeriod }: ProcessFlags): Limits['cpu'] {
  if (cpus !== undefined && (cpuQuota !== undefined || cpuPeriod !== undefined))
    throw usageError('--cpus and --cpu-quota say the same in two ways', 'Give one of them.');
  if (cpus !== undefined) return cpuShare(cpus);
  const periodUs = cpuPeriod === undefined ? PERIOD_US : microseconds('--cpu-period', cpuPeriod);
  if (cpuQuota === undefined || cpuQuota === '-1') return undefined;
  return { quotaUs: microseconds('--cpu-quota', cpuQuota), periodUs };
}

function cpuShare(text: string): Limits['cpu'] {
  const share = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (share === 0) return undefined;
  const quotaUs = Math.round(share * PERIOD_US);
  if (quotaUs >= 1000) return { quotaUs, periodUs: PERIOD_US };
  throw usageError(`--cpus '${text}' is not a number of processors`, 'Write --cpus 1.5; the least is 0.01.');
}

/** The kernel takes no less than a millisecond (sched-bwc.rst). */
function microseconds(name: string, text: string): number {
  return parseCount(name, text, 1000);
}

function parseProcessors(text: string): string {
  if (/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) return text;
  throw usageError(`--cpuset-cpus '${text}' is not a list of processors`, 'Write --cpuset-cpus 0-2,4.');
}

/** As docker has it, -1 and 0 are no limit. */
function pidsOf(text: string | undefined): number | undefined {
  return text === undefined || text === '-1' || text === '0'
    ? undefined
    : parseCount('--pids-limit', text, 1);
}
