import type { IncomingHttpHeaders } from 'node:http';

/** One request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

export interface HostileHost {
  readonly origin: string;
  readonly host: string;
  /** May be emptied. */
  readonly seen: SeenRequest[];
}

/** What makes the registry hostile; README.md of this folder lists the members of each. */
export interface Switches {
  readonly quirks?: Readonly<Record<string, unknown>>;
  readonly faults?: readonly Readonly<Record<string, unknown>>[];
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly store?: Readonly<Record<string, unknown>>;
}

interface StoredManifest {
  readonly type: string;
  readonly bytes: Buffer;
  readonly digest: string;
}

export interface State {
  readonly blobs: Map<string, Buffer | undefined>;
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: ReadonlyMap<string, StoredManifest>;
  readonly uploads: ReadonlyMap<string, unknown>;
  /** Bytes of request bodies that arrived for blobs, wherever they ended up. */
  readonly received: number;
  has(repository: string, digest: string): boolean;
  manifest(repository: string, reference: string): StoredManifest | undefined;
  addBlob(repository: string, bytes: Buffer): string;
  addManifest(
    repository: string,
    reference: string,
    manifest: { readonly type: string; readonly bytes: Buffer },
  ): StoredManifest;
}

export interface HostileRegistry {
  readonly host: string;
  readonly origin: string;
  readonly hosts: Readonly<Record<'registry' | 'tokens' | 'store', HostileHost>>;
  readonly state: State;
  /** Scopes of every token that was asked for. */
  readonly asked: readonly (readonly string[])[];
  stop(): Promise<void>;
}

export function startHostileRegistry(
  switches?: Switches,
  options?: {
    readonly keep?: 'bytes' | 'digests';
    readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
    readonly port?: number;
  },
): Promise<HostileRegistry>;
