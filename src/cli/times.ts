import { usageError } from '../core/errors.ts';
import type { BuildOptions } from '../core/options.ts';
import type { Host } from './host.ts';

/** Variable, build arg and ARG that say the time of a build: each of the first two also answers the third. */
export const EPOCH = 'SOURCE_DATE_EPOCH';

export interface TimeFlags {
  readonly sourceDateEpoch?: string;
  readonly timestamp?: string;
}

/** Seconds since 1970 from `--source-date-epoch`, `--timestamp`, the build arg or the variable of that name. */
export function epochOf(
  { sourceDateEpoch, timestamp }: TimeFlags,
  buildArgs: BuildOptions['buildArgs'],
  { env }: Pick<Host, 'env'>,
): number | undefined {
  if (sourceDateEpoch !== undefined && timestamp !== undefined)
    throw usageError('--source-date-epoch and --timestamp say the same in two ways', 'Keep one of both.');
  if (sourceDateEpoch !== undefined) return parseEpoch('--source-date-epoch', sourceDateEpoch);
  if (timestamp !== undefined) return parseEpoch('--timestamp', timestamp);
  const given = buildArgs[EPOCH] ?? env[EPOCH];
  return given === undefined || given === '' ? undefined : parseEpoch(EPOCH, given);
}

function parseEpoch(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw usageError(`${name} '${text}' is not a time`, 'It counts seconds since 1970, such as 1700000000.');
}
