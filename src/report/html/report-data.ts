import type { Digest } from '../../core/digest.ts';
import type { SourceRange } from '../../core/errors.ts';
import type {
  Activity,
  BuildEvent,
  Explanation,
  StageShape,
  ToldFailure,
  Warning,
} from '../../core/events.ts';

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
  /** Of a FROM: the layers that its stage begins with, the lowest first. */
  readonly base?: readonly Digest[];
  readonly explanation?: Explanation;
  readonly spans: readonly Span[];
  /** Where its whole log is kept. */
  readonly logFile?: string;
  readonly log?: LogText;
  /** What its layer holds, where that is at hand. */
  readonly tree?: TreeNode;
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
export interface TreeNode {
  /** The last part of its path; empty for the root. */
  readonly name: string;
  /** As entries of layers have it; `whiteout` for what the layer removed. */
  readonly type: string;
  /** `kept`: a directory that was there. */
  readonly change: 'added' | 'changed' | 'kept' | 'removed';
  /** Bytes of its content and of all below it. */
  readonly bytes: number;
  readonly files: number;
  /** Of `bytes`, those that later layers replaced or removed. */
  readonly lost: number;
  /** The biggest first. */
  readonly children: readonly TreeNode[];
}

/** A file or directory by its full name. */
export interface SizedPath {
  readonly path: string;
  readonly bytes: number;
}

/** Where bytes of an image are that nobody sees. */
export interface LossReport extends SizedPath {
  readonly how: 'removed' | 'replaced' | 'repeated';
  /** Indexes into the image's layers: the one that holds them and the one that hides them. */
  readonly layer: number;
  readonly by: number;
}

/** The layers of an image, or of what a failed build came to. */
export interface ImageReport {
  readonly title: string;
  readonly id?: Digest;
  readonly platform: string;
  /** The base first. */
  readonly layers: readonly ImageLayer[];
  /** Bytes of the files of all layers that are known. */
  readonly bytes: number;
  readonly lost: number;
  readonly biggestFiles: readonly SizedPath[];
  readonly biggestFolders: readonly SizedPath[];
  /** The most bytes first. */
  readonly losses: readonly LossReport[];
}

export interface ImageLayer {
  readonly diffId: Digest;
  /** Its line of the image's history; empty where that does not tell. */
  readonly createdBy: string;
  /** Id of the step that made it. */
  readonly step?: string;
  /** What it holds; absent where it lies in a registry only. */
  readonly tree?: TreeNode;
}
