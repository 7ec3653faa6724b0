/** Steps of an axis of time in milliseconds: those a clock has. */
const steps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 960, 1920].map((minutes) => minutes * 60_000),
];

/** Round times from 0 up to `tookMs`, about five of them, and none so near to the end that its words would not fit. */
export function ticksOf(tookMs: number): number[] {
  const step = steps.find((ms) => tookMs / ms <= 6) ?? tookMs;
  const count = Math.floor((tookMs * 0.97) / step);
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** A time of an axis: `20ms`, `1.5s`, `30s`, `1m30s`, `1h30m`. */
export function tickWords(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${ms / 1000}s`;
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part, i) => (part > 0 ? `${part}${'hms'[i]}` : '')).join('');
}
