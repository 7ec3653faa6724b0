export function adviceFor(_: unknown): string[] {
  return [];
}
