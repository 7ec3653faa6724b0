import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Pids of other processes that have `marker` in their command line, environment or mounts. */
export function processesWith(marker: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids
    .filter((pid) =>
      ['cmdline', 'environ', 'mountinfo'].some((file) => holds(`/proc/${pid}/${file}`, marker)),
    )
    .map(Number);
}

/** Waits until no process has the marker any more; gives those that are left after `limitMs`. */
export async function processesGone(marker: string, limitMs = 20_000): Promise<number[]> {
  for (let waited = 0; waited < limitMs; waited += 50) {
    if (processesWith(marker).length === 0) return [];
    await sleep(50);
  }
  return processesWith(marker);
}

/** Mounts below `folder` that this process sees. */
export function mountsBelow(folder: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').filter((place) => place.startsWith(`${folder}/`));
}

function holds(file: string, marker: string): boolean {
  try {
    return readFileSync(file, 'latin1').includes(marker);
  } catch {
    // It ended meanwhile.
    return false;
  }
}
