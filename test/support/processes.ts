import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Other processes that have `marker` in their command line, environment or mounts: pid and command line. */
function markedWith(marker: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids
    .filter((pid) =>
      ['cmdline', 'environ', 'mountinfo'].some((file) => holds(`/proc/${pid}/${file}`, marker)),
    )
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

/**
 * Waits until no process has the marker in its command line, environment or mounts any more (the launcher's helper
 * ends a moment after Node does); gives pid and command line of those that are left after `limitMs`.
 */
export async function processesGone(marker: string, limitMs = 20_000): Promise<string[]> {
  for (let waited = 0; waited < limitMs; waited += 50) {
    if (markedWith(marker).length === 0) return [];
    await sleep(50);
  }
  return markedWith(marker);
}

/** Ids of processes with an argument that begins with `mark`. */
export function processesWith(mark: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) =>
    read(`/proc/${pid}/cmdline`)
      .split('\0')
      .slice(1)
      .some((word) => word.startsWith(mark)),
  );
}

/** Mounts below `folder` that this process sees. */
export function mountsBelow(folder: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').filter((place) => place.startsWith(`${folder}/`));
}

function holds(file: string, marker: string): boolean {
  return read(file).includes(marker);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It ended meanwhile.
    return '';
  }
}
