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

/** A time of an axis: `20ms`, `1.5s`, `30s`, `2m`, `1h30m`. */
export function tickWords(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${ms / 1000}s`;
  const minutes = Math.round(ms / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return `${hours > 0 ? `${hours}h` : ''}${rest > 0 ? `${rest}m` : ''}`;
}
