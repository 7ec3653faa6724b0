import { type Running, running } from './api/running.ts';
import type { Digest } from './core/digest.ts';
import { BuildError } from './core/errors.ts';
import type { BuildEvent } from './core/events.ts';

export type { Running } from './api/running.ts';
export type { Digest } from './core/digest.ts';
export { BuildError, type ErrorCode, type SourceRange } from './core/errors.ts';
export type {
  Activity,
  BuildEvent,
  Change,
  Explanation,
  StageShape,
  ToldFailure,
  Warning,
} from './core/events.ts';

/** What both calls take. */
export interface Common {
  /** The store; default as on the command line (`TSBUILD_ROOT`, or tsbuild in the data folder). */
  readonly root?: string;
  /** Folder that relative paths start from; default the current one. */
  readonly cwd?: string;
  /** Environment of the command; default this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Told everything that happens; must not throw. */
  readonly onEvent?: (event: BuildEvent) => void;
  /** Stops the work; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** false accepts any certificate and plain HTTP. */
  readonly tlsVerify?: boolean;
  readonly authFile?: string;
  readonly certDir?: string;
  /** `host/path` each: asked before Docker Hub. */
  readonly registryMirrors?: readonly string[];
}

/** A secret that RUN can mount; its value is never part of the image or of a cache key. */
export interface Secret {
  readonly id: string;
  /** One of both: a file, or the name of a variable of `env`. */
  readonly file?: string;
  readonly variable?: string;
}

/** What to build; the fields mean what the flags of the same name mean. */
export interface BuildRequest extends Common {
  /** The context: a folder, or an address over https or git. */
  readonly context: string;
  readonly file?: string;
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** By name, which may begin with a level: `index:NAME`. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** `linux/arm64`; several with commas give an index. */
  readonly platform?: string;
  readonly tags?: readonly string[];
  /** As for `--output`: a folder, or `type=oci,dest=image.tar`. stdout (`-`) is not for the API. */
  readonly outputs?: readonly string[];
  readonly push?: boolean;
  readonly load?: boolean;
  readonly format?: 'oci' | 'docker';
  /** true, or the stages whose steps are made again. */
  readonly noCache?: boolean | readonly string[];
  /** As for `--cache-from`: a name, or `type=registry,ref=…` and so on. */
  readonly cacheFrom?: readonly string[];
  /** As for `--cache-to`. */
  readonly cacheTo?: readonly string[];
  readonly pull?: 'always' | 'missing' | 'never' | 'newer';
  /** Asks no registry and no server. */
  readonly offline?: boolean;
  /** What names mean is kept in a lock file: true for the one beside the Containerfile, or its path. */
  readonly lock?: boolean | string;
  /** Names mean what such a file says, or the build fails. */
  readonly frozen?: boolean | string;
  readonly network?: 'host' | 'none' | 'private';
  readonly secrets?: readonly Secret[];
  /** As for `--ssh`: `default`, `id=socket` or `id=key,key`. */
  readonly ssh?: readonly string[];
  /** What steps may ask for: `network.host`, `security.insecure`. */
  readonly allow?: readonly string[];
  /** `name:ip` */
  readonly addHosts?: readonly string[];
  /** Addresses of name servers. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** Bytes that a step may use, and memory and swap together; the latter -1 for any swap. */
  readonly memory?: number;
  readonly memorySwap?: number;
  /** Processors' worth of time, such as 1.5. */
  readonly cpus?: number;
  /** Processors by number: `0-2,4`. */
  readonly cpusetCpus?: string;
  readonly pidsLimit?: number;
  readonly ulimits?: readonly string[];
  /** Bytes. */
  readonly shmSize?: number;
  /** As for `--isolation`; `auto` by default. */
  readonly isolation?: 'auto' | 'root' | 'subuid' | 'single' | 'chroot' | 'none';
  readonly runtime?: string;
  readonly jobs?: number;
  /** Seconds since 1970. */
  readonly sourceDateEpoch?: number;
  readonly ignoreFile?: string;
  /** Extensions of the language that are switched on. */
  readonly enable?: readonly string[];
}

export interface Built {
  /** The image id: digest of its configuration; of the index, where several platforms were built. */
  readonly id: Digest;
  /** Digest of the manifest or index, where one was written or pushed. */
  readonly digest?: Digest;
  readonly names: readonly string[];
  /** The id under which the build is remembered: for `tsbuild logs` and its kin. */
  readonly build: string;
  /** What `--metadata-file` would hold. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface PushRequest extends Common {
  /** An image of the store, by name or id. */
  readonly name: string;
  /** Where it goes; default its own name. */
  readonly destination?: string;
}

export interface Pushed {
  /** Digest of the manifest, or of the index of several. */
  readonly digest: Digest;
}

/**
 * Builds an image in a child process of its own. Rejects with BuildError as the command line would tell it: `code`,
 * `hint`, `location`, `errors` where a file has several and, for a failing RUN, `exitCode` and `log`.
 */
export function build(request: BuildRequest): Running<Built> {
  const args = ['build', ...buildArguments(request), '--', request.context];
  return running({ ...request, args, refused: refusalOf(request) }, ({ result, build }) => {
    const { id, digest, names, metadata } = result as unknown as Built;
    return { id, names, metadata, build: build ?? '', ...(digest !== undefined && { digest }) };
  });
}

/** Sends an image of the store to a registry. */
export function push(request: PushRequest): Running<Pushed> {
  const names = [request.name, ...(request.destination === undefined ? [] : [request.destination])];
  const args = ['push', ...commonArguments(request), '--', ...names];
  return running({ ...request, args }, ({ stdout }) => ({ digest: stdout.trim() as Digest }));
}

function refusalOf({ context, outputs }: BuildRequest): BuildError | undefined {
  if (context !== '-' && !outputs?.includes('-')) return undefined;
  return new BuildError('usage', 'build() reads no stdin and writes no stdout', {
    hint: 'Name a folder or a file.',
  });
}

function buildArguments(request: BuildRequest): string[] {
  const { noCache } = request;
  return [
    ...commonArguments(request),
    ...one('--file', request.file),
    ...one('--target', request.target),
    ...pairs('--build-arg', request.buildArgs),
    ...pairs('--label', request.labels),
    ...pairs('--annotation', request.annotations),
    ...one('--platform', request.platform),
    ...many('--tag', request.tags),
    ...many('--output', request.outputs),
    ...(request.push ? ['--push'] : []),
    ...(request.load ? ['--load'] : []),
    ...one('--format', request.format),
    ...(noCache === true ? ['--no-cache'] : many('--no-cache-filter', noCache === false ? [] : noCache)),
    ...many('--cache-from', request.cacheFrom),
    ...many('--cache-to', request.cacheTo),
    ...one('--pull', request.pull),
    ...(request.offline ? ['--offline'] : []),
    ...optional('--lock', request.lock),
    ...optional('--frozen', request.frozen),
    ...one('--network', request.network),
    ...many('--secret', request.secrets?.map(secretText)),
    ...many('--ssh', request.ssh),
    ...many('--allow', request.allow),
    ...many('--add-host', request.addHosts),
    ...many('--dns', request.dns),
    ...many('--dns-search', request.dnsSearch),
    ...many('--dns-option', request.dnsOptions),
    ...one('--memory', request.memory),
    ...one('--memory-swap', request.memorySwap),
    ...one('--cpus', request.cpus),
    ...one('--cpuset-cpus', request.cpusetCpus),
    ...one('--pids-limit', request.pidsLimit),
    ...many('--ulimit', request.ulimits),
    ...one('--shm-size', request.shmSize),
    ...one('--isolation', request.isolation),
    ...one('--runtime', request.runtime),
    ...one('--jobs', request.jobs),
    ...one('--source-date-epoch', request.sourceDateEpoch),
    ...one('--ignorefile', request.ignoreFile),
    ...many('--enable', request.enable),
  ];
}

function commonArguments({ root, tlsVerify, authFile, certDir, registryMirrors }: Common): string[] {
  return [
    ...['--events-fd', '3'],
    ...one('--root', root),
    ...one('--tls-verify', tlsVerify),
    ...one('--authfile', authFile),
    ...one('--cert-dir', certDir),
    ...many('--registry-mirror', registryMirrors),
  ];
}

function secretText({ id, file, variable }: Secret): string {
  const source = file === undefined ? `env=${variable ?? id}` : `src=${file}`;
  return [`id=${id}`, source].map((field) => `"${field.replaceAll('"', '""')}"`).join(',');
}

function one(flag: string, value: string | number | boolean | undefined): string[] {
  return value === undefined ? [] : [`${flag}=${value}`];
}

/** A flag whose value may be left out. */
function optional(flag: string, value: string | boolean | undefined): string[] {
  if (value === undefined || value === false) return [];
  return [value === true ? flag : `${flag}=${value}`];
}

function many(flag: string, values: readonly string[] = []): string[] {
  return values.map((value) => `${flag}=${value}`);
}

function pairs(flag: string, values: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(values).map(([name, value]) => `${flag}=${name}=${value}`);
}
