import type { Digest } from './digest.ts';
import type { Emit } from './events.ts';
import type { Compression, Packing, Platform } from './types.ts';

/** Where a build's result goes, besides the local store. */
export type Output =
  | ({ readonly type: 'registry'; readonly names: readonly string[] } & Packed)
  /** An archive file, a folder (`tar: false`, oci only) or stdout (`dest: '-'`). */
  | ({
      readonly type: 'oci' | 'docker';
      readonly dest: string;
      readonly tar: boolean;
      readonly name?: string;
    } & Packed)
  | { readonly type: 'local' | 'tar'; readonly dest: string }
  /** Into docker or podman, whichever answers. */
  | { readonly type: 'load' };

/** The form of layers that leave. */
interface Packed {
  /** Of layers that have no form of their own yet; gzip where it is absent. */
  readonly compression?: Packing;
  /** Of all layers. */
  readonly forceCompression?: boolean;
}

export interface SecretSource {
  readonly id: string;
  /** One of both. `file` is absolute. */
  readonly file?: string;
  readonly env?: string;
}

/** An ssh agent for `RUN --mount=type=ssh,id=…`: the socket of one, or keys for one of our own. Paths are absolute. */
export interface SshSource {
  readonly id: string;
  /** The socket of an agent, or key files. */
  readonly paths: readonly string[];
}

/** A line for people and tools on a manifest, on an index, or on the descriptor of one. */
export interface Annotation {
  readonly level: 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor';
  /** The one platform whose manifest is meant; all of them where it is absent. */
  readonly platform?: Platform;
  readonly name: string;
  readonly value: string;
}

/** What annotations are for: an image, or the index of images for these platforms. */
export interface Annotated {
  readonly isIndex: boolean;
  readonly platforms: readonly Platform[];
}

/** What a process can reach: all that this machine can, nothing, or what a network of the build's own leads to. */
export type Network = 'host' | 'none' | 'private';

/** How names are looked up; what is absent is as this machine has it. */
export interface Dns {
  readonly servers?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/** How much a step may use; what is absent has no limit of ours. */
export interface Limits {
  readonly memoryBytes?: number;
  /** What may be swapped out besides; as much again as `memoryBytes` where it is absent, as docker has it. */
  readonly swapBytes?: number | 'unlimited';
  /** Processor time within each period, of all processors together. */
  readonly cpu?: { readonly quotaUs: number; readonly periodUs: number };
  /** Processors by number, as the kernel lists them: `0-2,4`. */
  readonly cpuset?: string;
  /** Processes and threads at a time. */
  readonly pids?: number;
}

/** What a process may do, where that is not the usual. */
export interface Rights {
  /** Capabilities (`CAP_…`) besides the usual ones, and those that go; `ALL` is every one. A named one that goes is gone. */
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
  /** No system call is refused. */
  readonly unfiltered?: boolean;
  /** Nothing that it starts gains rights: neither setuid programs nor file capabilities have an effect. */
  readonly noNewPrivileges?: boolean;
}

/** A file or folder of this machine that processes see. */
export interface Volume {
  /** Absolute. */
  readonly source: string;
  /** Absolute. */
  readonly target: string;
  /** `overlay`: what is written is dropped when the process has ended. */
  readonly mode: 'rw' | 'ro' | 'overlay';
}

/** What the processes of a command may reach and use. */
export interface ProcessOptions {
  readonly network: Network;
  /** `ip name` each, as /etc/hosts has them; the word `host-gateway` in place of an ip is this machine. */
  readonly addHosts: readonly string[];
  readonly dns: Dns;
  readonly ulimits: readonly string[];
  readonly shmSize?: number;
  readonly limits: Limits;
  /** Absent where nothing is unusual. */
  readonly rights?: Rights;
}

/** Where a cache is kept. */
export type CacheSite =
  /** An image name, in full. */
  | { readonly type: 'registry'; readonly name: string }
  /** An OCI layout folder, absolute, and a tag in it or (to read from) a digest. */
  | { readonly type: 'local'; readonly folder: string; readonly tag: string; readonly digest?: Digest }
  /** A bucket; what is absent, and the keys, are taken from AWS's variables of the environment. */
  | {
      readonly type: 's3';
      readonly name: string;
      readonly bucket?: string;
      readonly region?: string;
      readonly prefix: string;
      readonly endpoint?: string;
      readonly pathStyle: boolean;
    }
  /** The cache service of a GitHub workflow, as the runner's variables tell of it. */
  | { readonly type: 'gha'; readonly scope: string };

/** What a build shares of what it made, and with whom. */
export type CacheTarget =
  | {
      readonly site: CacheSite;
      /** Which layers go along: those of the image, or those of every stage. What steps gave is told of all. */
      readonly mode: 'min' | 'max';
      readonly compression?: Compression;
      /** A failure is no more than a warning. */
      readonly ignoreError: boolean;
      /** Ids of cache mounts whose content goes along; `all` are those that the file names. */
      readonly mounts: 'all' | readonly string[];
    }
  /** In the configuration of the image itself. */
  | { readonly site: { readonly type: 'inline' } };

/** How names are pinned by a lock file: `write` adds what it lacks, `frozen` goes by it alone. */
export interface Lock {
  readonly mode: 'write' | 'frozen';
  /** Absolute; the Containerfile's own name with `.lock` behind it where it is absent. */
  readonly file?: string;
}

/** The kinds of documents about what an image holds. */
export type SbomFormat = 'spdx' | 'cyclonedx';

/** What a build says of itself, beside the image; all of it absent by default: a plain manifest stays one. */
export interface AttestOptions {
  readonly provenance?: { readonly mode: 'min' | 'max'; readonly builderId?: string };
  /** The packages that the image holds, as these documents. */
  readonly sbom?: readonly SbomFormat[];
}

/** The person's terminal, where a build has stopped. */
export interface DebugTerminal {
  /** Keeps the story of the build off the terminal until what it gives is called. */
  hold(): () => void;
  say(text: string): void;
}

/** Where a build stops for a person to look around in the sandbox of a step. */
export interface DebugOptions {
  /** Where the command of a step fails. */
  readonly atFailures: boolean;
  /** `STAGE[:LINE]`, each as it was written. */
  readonly breaks: readonly string[];
  /** Absent where there is none: then nothing stops. */
  readonly terminal?: DebugTerminal;
}

/** Everything `build()` is told; the command line and the public API make it. Paths are absolute. */
export interface BuildOptions extends ProcessOptions {
  /** Context: an absolute folder, a git or http(s) URL, or `-` for a tar or a Containerfile on stdin. */
  readonly context: string;
  /** Containerfile; undefined looks in the context; `-` is stdin. */
  readonly file?: string;
  /** The Containerfile itself, and how messages call it; `file` counts for nothing then. */
  readonly inline?: { readonly file: string; readonly text: string };
  readonly target?: string;
  /** An image that the first FROM of the file means instead of its own. */
  readonly from?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Variables that every stage begins with, as if an ENV stood below its FROM; values are taken as they are. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables that the image is left without; its steps have them. */
  readonly unsetEnv?: readonly string[];
  readonly annotations: readonly Annotation[];
  /** What is built for; none stands for this machine. Several give an index. */
  readonly platforms: readonly Platform[];
  /** Named contexts by name (`name`, `name::linux/arm64`): what `--build-context` says, folders absolute. */
  readonly contexts: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly outputs: readonly Output[];
  readonly format: 'oci' | 'docker';
  /** Layers become one: those that the build adds to its base (`new`), or the base's too (`all`). */
  readonly squash?: 'new' | 'all';
  readonly noCache: boolean | readonly string[];
  /** Caches that others left, the first that knows a step counts. */
  readonly cacheFrom: readonly CacheSite[];
  readonly cacheTo: readonly CacheTarget[];
  /** What a source made longer ago does not count. */
  readonly cacheMaxAgeMs?: number;
  readonly pull: 'always' | 'missing' | 'never' | 'newer';
  readonly lock?: Lock;
  readonly attest: AttestOptions;
  /** A private key that signs what is pushed: the absolute path of its file, or `env://NAME`. */
  readonly sign?: string;
  readonly secrets: readonly SecretSource[];
  readonly ssh: readonly SshSource[];
  /** What every RUN sees of this machine; keys of steps name it, and not its content. */
  readonly volumes?: readonly Volume[];
  /** What steps may ask for beyond the usual: `network.host`, `security.insecure`. */
  readonly allow: readonly string[];
  /** Extensions of the language that are switched on for every file. */
  readonly enable: readonly string[];
  readonly runtime?: string;
  readonly jobs: number;
  readonly debug?: DebugOptions;
  /** Seconds since the epoch to which times of own layers are clamped. */
  readonly sourceDateEpoch?: number;
  /** With `sourceDateEpoch`: files keep their times, and only the configuration's are set. */
  readonly keepTimes?: boolean;
  readonly iidFile?: string;
  /** Gets the digest of the manifest or index. */
  readonly digestFile?: string;
  /** Get a line for each name that is pushed: `repository@digest`, and `repository:tag@digest`. */
  readonly nameDigestFile?: string;
  readonly nameTagDigestFile?: string;
  readonly metadataFile?: string;
  readonly ignoreFile?: string;
  /** Size that the store is kept within after the build; default: what fits its disk. */
  readonly keepBytes?: number;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Is told the Containerfile's text, wherever it came from, under the name that locations have. */
  readonly onSource?: (file: string, text: string) => void;
}

/** Another place for what is below a registry or a path of it. */
export interface Mirror {
  /** `docker.io`, `docker.io/library`. */
  readonly of: string;
  /** `mirror.example.com`, with a path where wanted; `http://` in front allows plain HTTP. */
  readonly at: string;
}

/** How registries are reached. */
export interface RegistryOptions {
  /** false accepts any certificate and plain HTTP. */
  readonly tlsVerify: boolean;
  readonly authFile?: string;
  /** `user:password`. */
  readonly creds?: string;
  /** Images whose registries may be shown `creds`; default any. */
  readonly credsFor?: readonly string[];
  readonly certDir?: string;
  /** Files that certify registries, by host (`registry.example.com:5000`): authorities to trust besides the usual ones. */
  readonly certificates?: Readonly<Record<string, string>>;
  /** Asked before the registries that they mirror, in this order. */
  readonly mirrors?: readonly Mirror[];
  /** Nothing may be asked of the network. */
  readonly offline?: boolean;
  readonly retries: number;
  readonly retryDelayMs: number;
}
