import type { Digest } from '../core/digest.ts';

/** A step, or anything else that begins and ends. Members and their names are those of BuildKit's client. */
export interface Vertex {
  readonly digest: Digest;
  readonly inputs?: readonly Digest[];
  readonly name: string;
  readonly started: string;
  readonly completed?: string;
  readonly cached?: true;
  readonly error?: string;
}

/** Bytes on their way for a vertex. */
export interface Status {
  readonly id: string;
  readonly vertex: Digest;
  readonly total?: number;
  readonly current: number;
  readonly timestamp: string;
  readonly started: string;
  readonly completed?: string;
}

export interface Log {
  readonly vertex: Digest;
  /** 1 is stdout, 2 stderr. */
  readonly stream: 1 | 2;
  /** In base64, as all bytes here. */
  readonly data: string;
  readonly timestamp: string;
}

export interface Warning {
  readonly vertex: Digest;
  readonly level: 1;
  readonly short: string;
  readonly detail?: readonly string[];
  readonly url?: string;
  readonly sourceInfo?: { readonly filename: string; readonly data: string; readonly language: string };
  readonly range?: readonly { readonly start: Position; readonly end: Position }[];
}

/** Lines count from 1; columns are 0, as BuildKit's are, which knows none. */
interface Position {
  readonly line: number;
  readonly character?: number;
}

/** What happened, as a line. */
export interface SolveStatus {
  readonly vertexes?: readonly Vertex[];
  readonly statuses?: readonly Status[];
  readonly logs?: readonly Log[];
  readonly warnings?: readonly Warning[];
}
