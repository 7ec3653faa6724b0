import type { BuildEvent } from '../core/events.ts';
import { many, one, pairs } from './words.ts';

/** What all calls take. */
export interface CallOptions {
  /** The store; default as on the command line (`TSBUILD_ROOT`, or tsbuild in the data folder). */
  readonly root?: string;
  /** Folder that relative paths start from; default the current one. */
  readonly cwd?: string;
  /** Environment of the command; default this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Stops the work; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What the calls take that ask registries. */
export interface Common extends CallOptions {
  /** Told everything that happens; must not throw. */
  readonly onEvent?: (event: BuildEvent) => void;
  /** false accepts any certificate and plain HTTP. */
  readonly tlsVerify?: boolean;
  /** File of logins, as `~/.docker/config.json` is one; no other is read then. */
  readonly authFile?: string;
  /** Folder of certificates and client keys for every registry. */
  readonly certDir?: string;
  /** By host, a file with an authority to trust for that registry. */
  readonly registryCertificates?: Readonly<Record<string, string>>;
  /** `host/path` each: asked before Docker Hub. */
  readonly registryMirrors?: readonly string[];
  /** By registry, the `host/path` that is asked before it. */
  readonly registryMaps?: Readonly<Record<string, string>>;
  /** How often a request that failed is tried again; default 3. */
  readonly retries?: number;
}

/** The flags for them. */
export function commonArguments(common: Common): string[] {
  const { root, tlsVerify, authFile, certDir, registryCertificates, registryMirrors, registryMaps, retries } =
    common;
  return [
    ...['--events-fd', '3'],
    ...one('--root', root),
    ...one('--tls-verify', tlsVerify),
    ...one('--authfile', authFile),
    ...one('--cert-dir', certDir),
    ...pairs('--registry-certificate', registryCertificates),
    ...many('--registry-mirror', registryMirrors),
    ...pairs('--registry-map', registryMaps),
    ...one('--retry', retries),
  ];
}
