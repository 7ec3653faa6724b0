import { readFileSync } from 'node:fs';
import { usageError } from '../../src/core/errors.ts';

/** A resource limit as the OCI runtime specification writes it. */
export interface Rlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

/** Names as `--ulimit` takes them, and what `/proc/PID/limits` calls them. */
const limits: Readonly<Record<string, string>> = {
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
};

/** No limit: RLIM_INFINITY as the nearest number that JSON readers take for all ones. */
const unlimited = 18446744073709551615n;

/**
 * Limits of a step: those asked for (`name=soft[:hard]`, -1 or `unlimited` for none), none above what this process may
 * set itself, and open files at 1024, since Node has raised its own. Throws `usage` for a name or number unknown.
 */
export function rlimits(
  asked: readonly string[],
  own = readFileSync('/proc/self/limits', 'utf8'),
): readonly Rlimit[] {
  const chosen = new Map<string, Rlimit>();
  for (const text of ['nofile=1024:unlimited', ...asked]) {
    const [name, soft, hard] = take(text);
    const ceiling = hardLimit(own, name);
    chosen.set(name, {
      type: `RLIMIT_${name.toUpperCase()}`,
      soft: asNumber(least(soft, hard, ceiling)),
      hard: asNumber(least(hard, ceiling)),
    });
  }
  return [...chosen.values()];
}

function take(text: string): [string, bigint, bigint] {
  const match = /^([a-z]+)=([^:]+)(?::(.+))?$/.exec(text);
  const name = match?.[1] ?? '';
  if (match === null || limits[name] === undefined) {
    throw usageError(
      `\`${text}\` is no resource limit`,
      `Write name=soft[:hard], name being one of ${names()}.`,
    );
  }
  const soft = amount(match[2]!, text);
  const hard = match[3] === undefined ? soft : amount(match[3], text);
  if (soft > hard) throw usageError(`the soft limit of \`${text}\` is above its hard limit`);
  return [name, soft, hard];
}

function names(): string {
  return Object.keys(limits).join(', ');
}

function amount(written: string, text: string): bigint {
  if (written === '-1' || written === 'unlimited') return unlimited;
  if (!/^\d{1,19}$/.test(written)) throw usageError(`\`${written}\` in \`${text}\` is no number`);
  return BigInt(written);
}

function hardLimit(own: string, name: string): bigint {
  const line = own.split('\n').find((candidate) => candidate.startsWith(`${limits[name]} `));
  const written = line?.slice(limits[name]!.length).trim().split(/\s+/)[1];
  return written === undefined || written === 'unlimited' ? unlimited : BigInt(written);
}

function least(...values: bigint[]): bigint {
  return values.sort((a, b) => (a < b ? -1 : 1))[0]!;
}

/** JSON has no 64-bit integers: `writeJson` in the engine turns this back into all ones. */
function asNumber(value: bigint): number {
  return Number(value);
}
