import { type Common, commonArguments } from './call-options.ts';
import { many, one, optional, pairs } from './words.ts';

/** A secret that RUN can mount; its value is never part of the image or of a cache key. */
export interface Secret {
  /** By which a `RUN --mount=type=secret` names it. */
  readonly id: string;
  /** Where the value is: in this file, … */
  readonly file?: string;
  /** … or in this variable of `env`; default the one that is named as the id. */
  readonly variable?: string;
}

/** What to build; the fields mean what the flags of the same name mean. */
export interface BuildRequest extends Common {
  /** The context: a folder, or an address over https or git. */
  readonly context: string;
  /** The Containerfile; default that of the context: `Containerfile`, then `Dockerfile`. */
  readonly file?: string;
  /** The stage to build; default the last. */
  readonly target?: string;
  /** An image that the first FROM means instead of its own. */
  readonly from?: string;
  /** Values for ARGs. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** What FROM or --from means by a name: a folder, an address, `docker-image://NAME` or `oci-layout://FOLDER`. */
  readonly buildContexts?: Readonly<Record<string, string>>;
  /** Labels of the image, besides those of the file. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Variables that every stage begins with; as for `--env`. */
  readonly imageEnv?: Readonly<Record<string, string>>;
  /** Variables that the image is left without. */
  readonly unsetEnv?: readonly string[];
  /** By name, which may begin with a level: `index:NAME`. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** `linux/arm64`; several with commas give an index. */
  readonly platform?: string;
  /** Names of the image. */
  readonly tags?: readonly string[];
  /** As for `--output`: a folder, or `type=oci,dest=image.tar`. stdout (`-`) is not for the API. */
  readonly outputs?: readonly string[];
  /** Push the image under its names. */
  readonly push?: boolean;
  /** Load it into docker or podman. */
  readonly load?: boolean;
  /** Of manifest and configuration; default `oci`. */
  readonly format?: 'oci' | 'docker';
  /** One layer of all that the build adds to its base; with `all`, of those of the base too. */
  readonly squash?: boolean | 'all';
  /** true, or the stages whose steps are made again. */
  readonly noCache?: boolean | readonly string[];
  /** As for `--cache-from`: a name, or `type=registry,ref=…` and so on. */
  readonly cacheFrom?: readonly string[];
  /** As for `--cache-to`. */
  readonly cacheTo?: readonly string[];
  /** Uses nothing of `cacheFrom` that was made longer ago: `36h`. */
  readonly cacheMaxAge?: string;
  /** When registries are asked for base images; default `missing`: where the store has none. */
  readonly pull?: 'always' | 'missing' | 'never' | 'newer';
  /** Asks no registry and no server. */
  readonly offline?: boolean;
  /** What names mean is kept in a lock file: true for the one beside the Containerfile, or its path. */
  readonly lock?: boolean | string;
  /** Names mean what such a file says, or the build fails. */
  readonly frozen?: boolean | string;
  /** What steps can reach; default `host`. */
  readonly network?: 'host' | 'none' | 'private';
  /** As for `--volume`: `host:path`, with `:ro` or `:O` behind it where wanted. */
  readonly volumes?: readonly string[];
  /** What `RUN --mount=type=secret` may mount. */
  readonly secrets?: readonly Secret[];
  /** As for `--ssh`: `default`, `id=socket` or `id=key,key`. */
  readonly ssh?: readonly string[];
  /** What steps may ask for: `network.host`, `security.insecure`. */
  readonly allow?: readonly string[];
  /** `name:ip` */
  readonly addHosts?: readonly string[];
  /** Addresses of name servers. */
  readonly dns?: readonly string[];
  /** Domains in which names are looked up. */
  readonly dnsSearch?: readonly string[];
  /** Options of `resolv.conf`. */
  readonly dnsOptions?: readonly string[];
  /** Bytes that a step may use. */
  readonly memory?: number;
  /** Bytes of memory and swap together; -1 for any swap. */
  readonly memorySwap?: number;
  /** Processors' worth of time, such as 1.5. */
  readonly cpus?: number;
  /** Processors by number: `0-2,4`. */
  readonly cpusetCpus?: string;
  /** Processes and threads that a step may have; -1 for any number. */
  readonly pidsLimit?: number;
  /** `nofile=1024:2048` */
  readonly ulimits?: readonly string[];
  /** Bytes of `/dev/shm`. */
  readonly shmSize?: number;
  /** Capabilities that steps have besides the usual ones: `NET_ADMIN`, `ALL`. */
  readonly capAdd?: readonly string[];
  /** Capabilities that they lack. */
  readonly capDrop?: readonly string[];
  /** As for `--security-opt`: `seccomp=unconfined`, `no-new-privileges`. */
  readonly securityOpts?: readonly string[];
  /** As for `--isolation`; `auto` by default. */
  readonly isolation?: 'auto' | 'root' | 'subuid' | 'single' | 'chroot' | 'none';
  /** The engine: `builtin` by default, `crun`, `runc` or a path. */
  readonly runtime?: string;
  /** How many steps may work at once. */
  readonly jobs?: number;
  /** Where to write a page about the build, also about one that fails. */
  readonly report?: string;
  /** Seconds since 1970: no file of the image's own layers is newer. */
  readonly sourceDateEpoch?: number;
  /** Instead of `.containerignore` or `.dockerignore`. */
  readonly ignoreFile?: string;
  /** Says beside the image how it was built: true, or as for `--provenance`. */
  readonly provenance?: boolean | string;
  /** Says beside it what it holds: true, or formats as for `--sbom`. */
  readonly sbom?: boolean | string;
  /** The key that signs what is pushed: a PEM file, or `env://NAME`. */
  readonly sign?: string;
  /** Extensions of the language that are switched on. */
  readonly enable?: readonly string[];
}

/** The flags for a request, its context aside. */
export function buildArguments(request: BuildRequest): string[] {
  const { noCache } = request;
  return [
    ...commonArguments(request),
    ...one('--file', request.file),
    ...one('--target', request.target),
    ...one('--from', request.from),
    ...pairs('--build-arg', request.buildArgs),
    ...pairs('--build-context', request.buildContexts),
    ...pairs('--label', request.labels),
    ...pairs('--env', request.imageEnv),
    ...many('--unsetenv', request.unsetEnv),
    ...pairs('--annotation', request.annotations),
    ...one('--platform', request.platform),
    ...many('--tag', request.tags),
    ...many('--output', request.outputs),
    ...(request.push ? ['--push'] : []),
    ...(request.load ? ['--load'] : []),
    ...one('--format', request.format),
    ...(request.squash ? [request.squash === 'all' ? '--squash-all' : '--squash'] : []),
    ...(noCache === true ? ['--no-cache'] : many('--no-cache-filter', noCache === false ? [] : noCache)),
    ...many('--cache-from', request.cacheFrom),
    ...many('--cache-to', request.cacheTo),
    ...one('--cache-max-age', request.cacheMaxAge),
    ...one('--pull', request.pull),
    ...(request.offline ? ['--offline'] : []),
    ...optional('--lock', request.lock),
    ...optional('--frozen', request.frozen),
    ...one('--network', request.network),
    ...many('--volume', request.volumes),
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
    ...many('--cap-add', request.capAdd),
    ...many('--cap-drop', request.capDrop),
    ...many('--security-opt', request.securityOpts),
    ...one('--isolation', request.isolation),
    ...one('--runtime', request.runtime),
    ...one('--jobs', request.jobs),
    ...one('--report', request.report),
    ...one('--source-date-epoch', request.sourceDateEpoch),
    ...one('--ignorefile', request.ignoreFile),
    ...optional('--provenance', request.provenance),
    ...optional('--sbom', request.sbom),
    ...one('--sign', request.sign),
    ...many('--enable', request.enable),
  ];
}

function secretText({ id, file, variable }: Secret): string {
  const source = file === undefined ? `env=${variable ?? id}` : `src=${file}`;
  return [`id=${id}`, source].map((field) => `"${field.replaceAll('"', '""')}"`).join(',');
}
