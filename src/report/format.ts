/** Sizes, times and ages as people read them. */

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `0B`, `999B`, `1.23kB`, `63.1MB`: decimal units, three digits, as docker writes them. */
export function formatBytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)}${units[unit]}`;
}

/** `0.1s`, `59.9s`, `1m03s`, `2h05m`, from milliseconds. */
export function formatSeconds(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100));
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.floor(tenths / 10);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${twoDigits(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${twoDigits(Math.floor((seconds % 3600) / 60))}m`;
}

/** Bytes per second over a span of milliseconds: `9.1MB/s`; empty while the span is too short to say. */
export function formatRate(count: number, ms: number): string {
  return ms < 200 || count === 0 ? '' : `${formatBytes((count * 1000) / ms)}/s`;
}

const spans = [
  ['year', 365 * 86400],
  ['month', 30 * 86400],
  ['week', 7 * 86400],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `3 days ago`; `in the future` and `just now` at the edges; `-` for a time that is not one. */
export function formatAge(iso: string | undefined, nowMs: number): string {
  const then = Date.parse(iso ?? '');
  if (Number.isNaN(then)) return '-';
  const seconds = Math.floor((nowMs - then) / 1000);
  if (seconds < 0) return 'in the future';
  for (const [name, span] of spans) {
    const count = Math.floor(seconds / span);
    if (count > 0) return `${count} ${name}${count === 1 ? '' : 's'} ago`;
  }
  return 'just now';
}

/** Columns padded to the widest cell, two spaces apart; the last column is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]! + 2))).join('');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
