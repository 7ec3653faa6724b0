import type { Digest, Framed } from './digest.ts';
import type { KeptIngredients } from './ingredients.ts';
import type { InodeOwner, Owner, PathOwner } from './owner.ts';
import type { Builds } from './remembered.ts';
import type { Descriptor, Entry, Image, Layer, Listing, Origin, Packing, Platform } from './types.ts';

/**
 * What outlives a build, as the rest of tsbuild sees it. `cache/` implements these; every write goes to a temporary
 * place and is renamed, so a reader never sees half a thing and SIGKILL leaves nothing but a temporary folder.
 */

/** Streams a blob's bytes from where it can be had; fails with BuildError where it can't. */
export type FetchBlob = (
  origins: readonly Origin[],
  descriptor: Descriptor,
  signal?: AbortSignal,
) => Promise<AsyncIterable<Buffer>>;

/** Content by digest: compressed layers, tars of own COPY layers, configs, manifests. */
export interface Blobs {
  has(digest: Digest): boolean;
  /** Absolute path of a blob at hand, or undefined. */
  find(digest: Digest): string | undefined;
  size(digest: Digest): number | undefined;
  /** Small blobs whole, verified against the digest (`digest-mismatch`). */
  read(digest: Digest): Promise<Buffer>;
  write(bytes: Buffer): Promise<Digest>;
  /** Stores a stream while hashing it; with `expected`, other bytes or another size fail and leave nothing. */
  writeStream(
    chunks: AsyncIterable<Buffer>,
    expected?: { readonly digest: Digest; readonly size: number },
  ): Promise<{ digest: Digest; size: number }>;
}

/** Writes one layer of our own as a deterministic tar; entries arrive parents first, in path order. */
export interface LayerWriter {
  /**
   * Adds an entry. A file's content is `content`: bytes, or the absolute path of a file that is opened without
   * following a link. Returns the entry as written, with the content's digest. Fails with `context` when the file's
   * size differs from `entry.size` (it changed while it was read: `retry`), or when it cannot be read (no `retry`).
   */
  add(entry: Entry, content?: Buffer | string): Entry | Promise<Entry>;
  /** Ends the tar, keeps it and its listing, and names the layer. */
  commit(): Promise<Layer>;
  /** Drops everything; harmless after commit. */
  abandon(): Promise<void>;
}

export interface CommitOptions {
  /** Paths that the runtime made as mountpoints; they are dropped where they are still empty. */
  readonly residue: readonly string[];
  /**
   * Directories that stood below the step, as they were: the root (''), and those that hold residue. One that is in
   * the upper directory for the residue's sake alone is dropped; the root enters the layer only where it changed.
   */
  readonly below: readonly Entry[];
  /**
   * The trees that the upper directory was laid over, topmost first: where none of them has a directory, an opaque mark
   * hides nothing and is dropped. Kernels differ in how many of those they set.
   */
  readonly lower?: readonly string[];
  /** Where owners are recorded and not real (rung `single`). */
  readonly recorded?: RecordedStep;
}

/** What is known of the owners of a step's files besides what the files carry themselves (src/core/owner.ts). */
export interface RecordedStep {
  /** What the step itself did. */
  readonly journal: readonly InodeOwner[];
  /** The trees below it, topmost first. */
  readonly lower: readonly string[];
  /** Files of those trees that carry no owner, by absolute path. */
  readonly below: readonly PathOwner[];
  /** Whom new files belong to of which nothing else is known; the group of a setgid folder comes before. */
  readonly made?: Pick<Owner, 'uid' | 'gid'>;
}

/** Layers and the conversions between their forms. */
export interface Layers {
  /** The listing; made by fetching the layer, and not unpacking it, where no form of it is at hand. */
  listing(layer: Layer, signal?: AbortSignal): Promise<Listing>;
  /** The listing where it was made before; nothing is read or fetched for it. */
  knownListing(diffId: Digest): Listing | undefined;
  /** Absolute path of the unpacked tree, whiteouts in overlay form; fetched and unpacked where needed. Read-only. */
  tree(layer: Layer, signal?: AbortSignal): Promise<string>;
  /** Owners of an unpacked tree's files that the files do not carry themselves, by absolute path (rung `single`). */
  ownersBeside(tree: string): readonly PathOwner[];
  /**
   * Directories that the layer holds something in without an entry for them, sorted. Its tree cannot know their
   * attributes; the layers below it do.
   */
  implied(layer: Layer, signal?: AbortSignal): Promise<readonly string[]>;
  /** Content of one regular file of this layer. */
  readFile(layer: Layer, path: string, signal?: AbortSignal): Promise<Buffer>;
  /** The uncompressed tar, checked against the diffId at its end. */
  tar(layer: Layer, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** The layer in the compression asked for, as a blob at hand. `any` takes the form the layer already has. */
  packed(
    layer: Layer,
    compression: Packing | 'any',
    signal?: AbortSignal,
    progress?: (done: number, total?: number) => void,
  ): Promise<{ readonly descriptor: Descriptor; readonly path: string }>;
  /**
   * The layer in the compression asked for, on its way to somewhere else: a file at hand, or a stream from where the
   * layer is kept, of which nothing stays here.
   */
  outgoing(
    layer: Layer,
    compression: Packing | 'any',
    signal?: AbortSignal,
    progress?: (done: number, total?: number) => void,
  ): Promise<{ readonly descriptor: Descriptor; readonly content: string | (() => AsyncIterable<Buffer>) }>;
  /** The descriptor the layer would be sent as, where it is known without work; undefined where it must be packed. */
  descriptor(layer: Layer, compression: Packing | 'any'): Descriptor | undefined;
  /** Makes sure that some local form exists from which the others follow; fetches the blob where not. */
  atHand(layer: Layer, signal?: AbortSignal): Promise<void>;
  /** Layers of our own (diffIds) that nobody has any more: they could not be fetched from where they were. */
  readonly lost: Set<Digest>;
  /** True when the layer can be had without a registry. */
  isAtHand(layer: Layer): boolean;
  writer(): Promise<LayerWriter>;
  /**
   * Turns the upper directory of a finished step into a layer: its whiteouts and opaque marks become the layer's, the
   * directory itself becomes the layer's tree (it is moved).
   */
  commitUpper(upper: string, options: CommitOptions): Promise<Layer>;
  /** The same layer with every time later than `epoch` (seconds) set to it; only for own layers, remembered. */
  clamp(layer: Layer, epoch: number): Promise<Layer>;
  /** Notes further places where a layer's compressed form can be fetched (after a push, a pull). */
  addOrigin(descriptor: Descriptor, origin: Origin): Promise<void>;
  origins(digest: Digest): readonly Origin[];
  /** Bytes of the layer's uncompressed tar where known. */
  tarSize(layer: Layer): number | undefined;
}

/** What a step once produced. */
export interface StepResult {
  readonly layer: Layer;
  /** ISO time at which the layer was made. */
  readonly created: string;
  /** The key that names the content of what the step read, where it is known by another one as well. */
  readonly contentKey?: Digest;
  /** The layer with its times clamped, where somebody else has made that. */
  readonly clamped?: { readonly epoch: number; readonly layer: Layer };
}

/** What others have shared of the steps they made (`--cache-from`). */
export interface SharedResults {
  /** Results under a key, those of the first source first. Their layers are places in a source. */
  find(key: Digest): readonly StepResult[];
  /** What a cache mount held when it was shared, as a layer. */
  mount(id: string): Layer | undefined;
}

export interface Records {
  /** Results under a key: newest first; an unreadable record is none. */
  find(key: Digest): readonly StepResult[];
  /** Adds a result in front; an equal diffId is moved there. The layers that the ingredients name stay as long as it. */
  put(key: Digest, result: StepResult, ingredients: Framed): Promise<void>;
  /** Waits until no other build makes this step. Dispose to let the next one go on. */
  lock(key: Digest, signal?: AbortSignal): Promise<AsyncDisposable>;
}

/** What an address gave when it was last downloaded. */
export interface Download {
  readonly digest: Digest;
  readonly size: number;
  /** Seconds since the epoch: the server's Last-Modified, 0 where it said nothing. */
  readonly mtime: number;
  /** What the server knows this state by. */
  readonly etag?: string;
  readonly lastModified?: string;
}

/** Downloads by address; their bytes are among the blobs. */
export interface Downloads {
  find(url: string): Download | undefined;
  put(url: string, download: Download): Promise<void>;
}

/** Images by name and by id. */
export interface Images {
  /**
   * By full name (`docker.io/library/myapp:latest`), `name@sha256:…`, or an id or unambiguous start of one. Of the
   * images that a name stands for it is the one for `platform`; without it the one for this machine, else the first.
   */
  find(nameOrId: string, platform?: Platform): Promise<StoredImage | undefined>;
  /** Every image that a name stands for, one per platform; none for what is not known. */
  findAll(nameOrId: string): Promise<readonly StoredImage[]>;
  /** Stores the image; each name given is moved to it. */
  put(image: Image, names: readonly string[]): Promise<StoredImage>;
  /** Stores images for different platforms; each name given is moved to them all. */
  putAll(images: readonly Image[], names: readonly string[]): Promise<readonly StoredImage[]>;
  /** Stores the image; under each name given it takes the place of the one for its platform, and others stay. */
  putBeside(
    image: Image,
    names: readonly string[],
    options?: {
      /** A build takes it for FROM: the first of all images to go where the store outgrows its bound. */
      readonly base?: boolean;
    },
  ): Promise<StoredImage>;
  /** Removes a name; its images go with their last name. True when there was one. */
  removeName(name: string): Promise<boolean>;
  removeImage(id: Digest): Promise<readonly string[]>;
  list(): Promise<readonly StoredImage[]>;
}

export interface StoredImage {
  /** Digest of the config. */
  readonly id: Digest;
  readonly names: readonly string[];
  readonly image: Image;
  /** ISO time at which it came into the store. */
  readonly stored: string;
  /** Manifest digests under which registries know it: `host/repository@sha256:…`. */
  readonly repoDigests: readonly string[];
}

/** A cache mount held by a step. */
export interface HeldMount extends AsyncDisposable {
  readonly path: string;
}

/** A cache mount that the store keeps. */
export interface KeptMount {
  readonly id: string;
  readonly bytes: number;
  /** Last use, in seconds since the epoch. */
  readonly used: number;
}

export interface Mounts {
  /** Those whose ids are known, sorted by them. */
  list(): readonly KeptMount[];
  has(id: string): boolean;
  /**
   * What a mount holds as a layer: its files, directories and links. Waits until no step uses it; undefined where
   * there is none. Fails with `layer` on a name that no layer can hold.
   */
  pack(id: string, signal?: AbortSignal): Promise<Layer | undefined>;
  /**
   * A folder with what a layer holds, for mounts to begin as copies of. Fails with `layer` where it holds anything but
   * files, directories and links: it may come from anyone.
   */
  seedOf(layer: Layer, signal?: AbortSignal): Promise<string>;
  /** Puts a copy of a folder in the place of what the mount holds. Waits until no step uses it. */
  fill(
    id: string,
    from: { readonly seed: string; readonly mode: number; readonly uid: number; readonly gid: number },
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * The folder of a cache mount, made with the given owner and mode when new. `locked` waits for other holders,
   * `private` gives a folder of its own where another holds it, `shared` lets all in.
   */
  hold(
    id: string,
    options: {
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** Copied into a new mount: a folder to start from. */
      readonly seed?: string;
      /** Empties the mount when this process holds it for the first time (`--no-cache`), unless others use it. */
      readonly fresh?: boolean;
    },
    signal?: AbortSignal,
  ): Promise<HeldMount>;
}

export interface CopyOptions {
  /** Mode and owner of the root directory. */
  readonly root: { readonly mode: number; readonly uid: number; readonly gid: number };
  readonly signal: AbortSignal;
}

/** A full copy of a root filesystem that one step may change. */
export interface HeldCopy extends AsyncDisposable {
  readonly path: string;
  /** Owners of its files that the files do not carry themselves, by absolute path (rung `single`). */
  readonly owners: readonly PathOwner[];
  /** The trees that it was made of, topmost first. */
  readonly trees: readonly string[];
  /**
   * Moves all that was changed in it to `upper`, which must not exist: a directory such as an overlay would have left,
   * for `commitUpper`. Of what is `touched` (paths in it) the time of change alone is no change.
   */
  moveChanges(
    upper: string,
    options: { readonly touched: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Says which layer became of the changes, so that the copy may serve the step that runs on top of it. */
  becomes(layer: Layer): void;
}

export interface Copies {
  /** What `layers` make together, laid out in a folder; for places where the kernel mounts no overlay. */
  hold(layers: readonly Layer[], options: CopyOptions): Promise<HeldCopy>;
}

/** Remembered file digests of one context folder. */
export interface StatCache {
  /** The digest remembered for exactly this state of the file, or undefined. */
  digest(path: string, stat: FileState): Digest | undefined;
  remember(path: string, stat: FileState, digest: Digest): void;
  /** Writes what was learnt; files not asked for are forgotten. */
  save(): Promise<void>;
}

export interface FileState {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  /** Milliseconds since the epoch, with what a double keeps of the nanoseconds (a quarter of a microsecond). */
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** A private temporary folder whose owner holds a lock; removed on dispose, or by the next start. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

export interface Store {
  /** Absolute path of the store. */
  readonly root: string;
  /** Names how ids are mapped here: what was unpacked, or left by a step, is of use under the same mapping alone. */
  readonly mapping: string;
  readonly blobs: Blobs;
  readonly layers: Layers;
  readonly records: Records;
  readonly ingredients: KeptIngredients;
  readonly downloads: Downloads;
  readonly images: Images;
  readonly mounts: Mounts;
  readonly copies: Copies;
  statCache(folder: string): StatCache;
  scratch(): Promise<Scratch>;
  readonly builds: Builds;
}
