import { spawnSync } from 'node:child_process';

const missing = new Map<string, boolean>();

/** Whether a program is on the PATH. */
export function has(program: string): boolean {
  const known = missing.get(program);
  if (known !== undefined) return known;
  const found = spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', program]).status === 0;
  missing.set(program, found);
  return found;
}

export const isRoot = process.getuid?.() === 0;

/**
 * True where `what` cannot be tested here; the reason is then said aloud. For `describe.skipIf` and `it.skipIf`:
 * a skipped test is counted, and its reason stands in the log.
 */
export function skip(
  what: string,
  needs: { readonly root?: boolean; readonly programs?: readonly string[] },
): boolean {
  const reasons = (needs.programs ?? [])
    .filter((name) => !has(name))
    .map((name) => `${name} is not installed`);
  if (needs.root === true && !isRoot) reasons.push('not root');
  if (reasons.length > 0) console.warn(`skipped: ${what}: ${reasons.join(', ')}`);
  return reasons.length > 0;
}
