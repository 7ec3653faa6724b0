declare const __TSBUILD_VERSION__: string;

/** The version of this tsbuild; `from source` where it runs unbuilt. */
export function version(): string {
  return typeof __TSBUILD_VERSION__ === 'string' ? __TSBUILD_VERSION__ : 'from source';
}
