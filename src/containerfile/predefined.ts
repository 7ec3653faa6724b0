/** The PATH of an image that has none (§4). */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** ARGs of every file, declared or not: RUN sees them, cache keys and history do not (§1.5). */
export const PROXY_ARGS: readonly string[] = ['HTTP', 'HTTPS', 'FTP', 'NO', 'ALL'].flatMap((name) => [
  `${name}_PROXY`,
  `${name.toLowerCase()}_proxy`,
]);

/** Names of the global ARGs that describe the platforms and the target (§1.5). */
const PLATFORM_ARGS: readonly string[] = [
  ...['PLATFORM', 'OS', 'OSVERSION', 'ARCH', 'VARIANT'].flatMap((name) => [`BUILD${name}`, `TARGET${name}`]),
  'TARGETSTAGE',
];

/** ARGs that speak to the builder and are no variables of a step (§1.5). */
export const NON_ENV_ARGS: readonly string[] = ['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE'];

/** True for build args that mean something without an ARG: proxies, platforms, the reference's own switches. */
export function isPredefinedArg(name: string): boolean {
  const listed = PROXY_ARGS.includes(name) || PLATFORM_ARGS.includes(name);
  return listed || name.startsWith('BUILDKIT_') || name === 'SOURCE_DATE_EPOCH';
}

/** The list with values set, one after the other: replaced in place where a name is, else appended (§4). */
export function withEnv(
  list: readonly string[],
  values: readonly { readonly name: string; readonly value: string }[],
): string[] {
  const result = [...list];
  const places = new Map<string, number>();
  list.forEach((entry, i) => {
    if (!places.has(nameOf(entry))) places.set(nameOf(entry), i);
  });
  for (const { name, value } of values) {
    const place = places.get(name) ?? result.length;
    places.set(name, place);
    result[place] = `${name}=${value}`;
  }
  return result;
}

/** The list, with the PATH of an image that has none where it has none. */
export function withDefaultPath(list: readonly string[]): readonly string[] {
  return list.some((line) => line.startsWith('PATH=')) ? list : [...list, `PATH=${DEFAULT_PATH}`];
}

/** `NAME=value` entries as a record; of two with the same name the last counts. */
export function envRecord(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(list.map((entry) => [nameOf(entry), entry.slice(nameOf(entry).length + 1)]));
}

function nameOf(entry: string): string {
  const equals = entry.indexOf('=');
  return equals < 0 ? entry : entry.slice(0, equals);
}
