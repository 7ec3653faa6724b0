/**
 * The rungs of the ladder, best first (`--isolation`). `root`: real root. `subuid`: a user namespace with a range of ids.
 * `mapped`: root in a container that maps its ids into a namespace itself. `single`: a user namespace that knows one id;
 * owners are recorded. `chroot`: root in a container that may make no namespace. `none`: builds without RUN.
 */
export const isolations = ['root', 'subuid', 'mapped', 'single', 'chroot', 'none'] as const;

export type Isolation = (typeof isolations)[number];

/**
 * Where this process stands, recorded once by the launcher (`bin/tsbuild`) and never asked of getuid() or passwd:
 * inside a user namespace every process is uid 0.
 */
export interface Place {
  readonly isolation: Isolation;
  /** The person's own uid, gid, home and runtime folder. */
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly runtimeDir: string | undefined;
  /** Request folder of the helper that runs programs outside the namespaces, where there is one. */
  readonly outside: string | undefined;
  /** The rung that `--isolation` names, where it names one. */
  readonly asked: string | undefined;
  /** Why nothing better was had: the failed attempt's own words. */
  readonly why: string | undefined;
}

/** Reads what the launcher recorded (`TSBUILD_*`) and takes it out of `env`, so that no child inherits it. */
export function readPlace(env: Record<string, string | undefined>): Place {
  const take = (name: string): string | undefined => {
    const value = env[name];
    delete env[name];
    return value === '' ? undefined : value;
  };
  const isolation = take('TSBUILD_ISOLATION');
  return {
    isolation: isolations.find((rung) => rung === isolation) ?? 'none',
    uid: Number(take('TSBUILD_UID') ?? process.getuid?.() ?? 0),
    gid: Number(take('TSBUILD_GID') ?? process.getgid?.() ?? 0),
    home: take('TSBUILD_HOME') || env.HOME || '/',
    runtimeDir: take('TSBUILD_RUNTIME_DIR'),
    outside: take('TSBUILD_OUTSIDE'),
    asked: take('TSBUILD_ASKED'),
    why: take('TSBUILD_WHY'),
  };
}
