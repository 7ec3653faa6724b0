import type { Digest } from './digest.ts';

/** `linux/arm64/v8`, taken apart. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** OCI content descriptor (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** A place in a registry from which a blob can be had: `host[:port]` and repository path. */
export interface Origin {
  readonly host: string;
  readonly repository: string;
}

export type EntryType =
  | 'file'
  | 'dir'
  | 'symlink'
  | 'hardlink'
  | 'char'
  | 'block'
  | 'fifo'
  /** Hides `path` of the layers below (a `.wh.` file in a tar, a char device 0:0 in a tree). */
  | 'whiteout'
  /** The directory `path` hides everything that layers below hold in it (`.wh..wh..opq`). */
  | 'opaque';

/** One entry of a layer. */
export interface Entry {
  /** Relative to the root, no leading or trailing slash; '' is the root itself. A name as of `core/bytes.ts`. */
  readonly path: string;
  readonly type: EntryType;
  /** Permission bits with setuid, setgid and sticky (07777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file's content; 0 for all else. */
  readonly size: number;
  /** Seconds since the epoch, floored; may be negative. */
  readonly mtime: number;
  /** Nanoseconds within the second, where the source had them. Our own tars carry whole seconds only. */
  readonly mtimeNs?: number;
  /** A symlink's target as written, or a hardlink's target path (relative to the root). */
  readonly link?: string;
  /** Extended attributes; the values are bytes as latin1 strings. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Device numbers of char and block. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** Digest of a file's content (also of an empty one). */
  readonly digest?: Digest;
}

/** Every entry of a layer, sorted by path (plain string order, `opaque` right after its directory), no path twice. */
export type Listing = readonly Entry[];

/**
 * A layer is known by its diffId; which forms of it are at hand (place in a registry, compressed blob, tar, unpacked
 * tree, listing) is asked of `Layers`.
 */
export interface Layer {
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
  /** The compressed form as its registry or archive named it; absent for a layer of our own that was never packed. */
  readonly descriptor?: Descriptor;
  /** Where the descriptor's bytes can be fetched, nearest first. */
  readonly origins?: readonly Origin[];
  /** Made by tsbuild: its times may be clamped and its bytes made again from its tree. */
  readonly own: boolean;
  /** Its files are as a step that failed, and somebody who then looked around, have left them. */
  readonly byHand?: boolean;
}

/** The image so far: what a step takes and returns. Never changed in place. */
export interface Snapshot {
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

/** OCI image configuration (image-spec, config.md); fields that are not known here are kept as they came. */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly config?: ContainerConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
  readonly [field: string]: unknown;
}

export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: Healthcheck;
  readonly Shell?: readonly string[];
  readonly OnBuild?: readonly string[];
  readonly [field: string]: unknown;
}

/** Durations in nanoseconds, as Docker writes them. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** An image manifest, OCI or Docker schema 2. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image ready to go somewhere: its layers may still be compressed on the way. */
export interface Image {
  /** The exact bytes of the configuration; their digest is the image id. */
  readonly config: Buffer;
  readonly layers: readonly Layer[];
  readonly platform: Platform;
  /** Exact manifest bytes where the image came from a registry or archive and is unchanged. */
  readonly manifest?: { readonly bytes: Buffer; readonly mediaType: string };
}

export type Compression = 'gzip' | 'zstd' | 'uncompressed';

/** A compression, or one with another level than ours: `gzip-9`, `zstd-19`. */
export type Packing = Compression | `${'gzip' | 'zstd'}-${number}`;
