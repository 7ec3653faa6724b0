import type { Activity } from '../../core/events.ts';
import { formatSeconds } from '../format.ts';
import type { StepReport } from './report-data.ts';

/** How a step ended, as people say it. */
export const outcomeWords: Readonly<Record<StepReport['outcome'], string>> = {
  done: 'ran',
  cached: 'from the cache',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'not ended',
};

/** A sign beside the colour, so that nobody depends on that. */
export const outcomeSigns: Readonly<Record<StepReport['outcome'], string>> = {
  done: '●',
  cached: '○',
  failed: '✕',
  cancelled: '–',
  interrupted: '…',
};

/** What time goes into. */
export const activityWords: Readonly<Record<Activity, string>> = {
  run: 'running',
  transfer: 'transfer',
  unpack: 'unpacking',
  commit: 'keeping changes',
  compress: 'compressing',
  push: 'pushing',
  wait: 'waiting',
};

/** The place of a step in the page. */
export function anchorOf(step: string): string {
  return `step-${step.replace(/[^A-Za-z0-9]+/g, '-')}`;
}

/** Time that a step took; of short ones in milliseconds. */
export function tookWords({
  startedAt,
  endedAt,
}: {
  readonly startedAt: number;
  readonly endedAt: number;
}): string {
  return timeWords(endedAt - startedAt);
}

/** `45ms`, `1.2s`, `2m05s`. */
export function timeWords(ms: number): string {
  return ms < 100 ? `${Math.max(0, Math.round(ms))}ms` : formatSeconds(ms);
}
