import type { BuildEvent, Activity, Explanation, StageShape, ToldFailure, Warning } from '../../core/events.ts';
import type { Digest } from '../../core/digest.ts';
import type { SourceRange } from '../../core/errors.ts';

/** All that a report shows of a build. Times are milliseconds since the build began. */
export interface ReportData {
  readonly build: BuildFacts;
  readonly stages: readonly StageShape[];
  /** In the order in which they began. */
  readonly steps: readonly StepReport[];
  readonly transfers: readonly TransferReport[];
  /** Time of the build that belongs to no step. */
  readonly spans: readonly Span[];
  readonly warnings: readonly WarningReport[];
  readonly images: readonly ImageReport[];
  /** Texts of the files that locations name, by name. */
  readonly sources: Readonly<Record<string, string>>;
}

/** What is known of the build as a whole. */
export interface BuildFacts {
  readonly id: string;
  /** ISO time. */
  readonly started: string;
  readonly file: string;
  readonly context: string;
  readonly target?: string;
  readonly names: readonly string[];
  readonly outcome: Extract<BuildEvent, { type: 'build-end' }>['outcome'] | 'interrupted' | 'running';
  readonly error?: ToldFailure;
  readonly image?: Digest;
  readonly tookMs: number;
  readonly steps: number;
  readonly cached: number;
  /** Bytes that came and went over the network. */
  readonly received: number;
  readonly sent: number;
}

/** Time that went into something. */
export interface Span {
  readonly what: Activity;
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface StepReport {
  /** `<stage>/<number>`. */
  readonly id: string;
  /** Id of its stage. */
  readonly stage: string;
  /** `builder 2/4`. */
  readonly place: string;
  /** The instruction as it stands in the file. */
  readonly text: string;
  readonly location?: SourceRange;
  readonly startedAt: number;
  readonly endedAt: number;
  /** `interrupted`: the build was killed while it ran. */
  readonly outcome: Extract<BuildEvent, { type: 'step-end' }>['outcome'] | 'interrupted';
  readonly error?: string;
  /** Bytes of its layer's tar. */
  readonly bytes?: number;
  readonly diffId?: Digest;
  readonly explanation?: Explanation;
  readonly spans: readonly Span[];
  /** Where its whole log is kept. */
  readonly logFile?: string;
  readonly log?: LogText;
  readonly layer?: LayerTree;
}

/** The ends of a log. */
export interface LogText {
  readonly head: string;
  /** Empty where `head` is all of it. */
  readonly tail: string;
  /** Bytes between them that are not shown. */
  readonly hidden: number;
}

export interface TransferReport {
  readonly name: string;
  readonly way?: 'in' | 'out';
  readonly startedAt: number;
  readonly endedAt: number;
  readonly bytes: number;
  readonly state: Extract<BuildEvent, { type: 'transfer' }>['state'];
}

/** A warning of a file, or of the build, which has no place. */
export type WarningReport = Pick<Warning, 'text'> & Partial<Warning>;

/** A file or directory of a layer and what is below it. */
export interface LayerTree {
  readonly name: string;
  readonly kind: 'dir' | 'file' | 'other' | 'removal';
  /** Bytes of its files, all below it together. */
  readonly bytes: number;
  /** Bytes of these that later layers of the image overwrite or delete. */
  readonly lostBytes: number;
  /** Files below it. */
  readonly files: number;
  /** The biggest first; only as many as fit. */
  readonly children: readonly LayerTree[];
}

/** A file or directory by its full name. */
export interface SizedPath {
  readonly path: string;
  readonly bytes: number;
}

export interface ImageReport {
  readonly id: Digest;
  readonly platform: string;
  /** The base first. */
  readonly layers: readonly ImageLayer[];
  readonly bytes: number;
  /** Bytes that later layers overwrite or delete. */
  readonly lostBytes: number;
  readonly biggestFiles: readonly SizedPath[];
  readonly biggestFolders: readonly SizedPath[];
  /** Files that later layers overwrite or delete. */
  readonly lostFiles: readonly SizedPath[];
}

export interface ImageLayer {
  readonly diffId: Digest;
  /** Its line of the image's history. */
  readonly createdBy: string;
  /** Id of the step that made it. */
  readonly step?: string;
  readonly bytes: number;
  readonly lostBytes: number;
  /** False where the layer lies in a registry only: of what is in it nothing is known. */
  readonly isKnown: boolean;
}
