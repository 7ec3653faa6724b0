import { hideLogins } from './logins.ts';

/** Where in a text file something stands: 1-based lines and columns, the end column exclusive. */
export interface SourceRange {
  readonly file: string;
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface BuildErrorDetails {
  readonly cause?: unknown;
  /** What the user can do about it, as a sentence with a capital and a full stop. */
  readonly hint?: string;
  readonly location?: SourceRange;
  /** The word, variable or flag that the message is about, as it stands in the file: lets a message point at it. */
  readonly about?: string;
  /** Trying again may help; decided where the error is made. */
  readonly retry?: boolean;
  /** Wait this long before trying again, where the other side said so. */
  readonly retryAfterMs?: number;
  /** Exit code of the failing process of a RUN. */
  readonly exitCode?: number;
  /** Last lines that the failing process wrote. */
  readonly log?: readonly string[];
  /** All failures of a file that are known at once, in its order; this error stands for them. */
  readonly errors?: readonly BuildError[];
}

/** What kind of failure it is; these names are stable. `bug` is for what should never happen. */
export type ErrorCode =
  | 'usage'
  | 'parse'
  | 'context'
  | 'not-found'
  | 'run-failed'
  | 'sandbox'
  | 'image'
  | 'layer'
  | 'digest-mismatch'
  | 'registry'
  | 'denied'
  | 'network'
  | 'store'
  | 'disk-full'
  | 'output'
  | 'interrupted'
  | 'bug';

/**
 * Every failure that a user can cause or mend. The message follows `error: `: one clause without secrets (logins of
 * addresses are taken out here), in lower case and without a full stop.
 * Anything else that is thrown is a bug in tsbuild (code `bug` where index.ts hands it on).
 */
export class BuildError extends Error {
  readonly code: ErrorCode;
  /** What the user can do about it, as a sentence. */
  readonly hint: string | undefined;
  /** The place in a file that it is about. */
  readonly location: SourceRange | undefined;
  /** The word, variable or flag that the message is about, as it stands in the file. */
  readonly about: string | undefined;
  /** Trying again may help. */
  readonly retry: boolean;
  /** How long to wait before that, where the other side said so. */
  readonly retryAfterMs: number | undefined;
  /** Of the failing process of a RUN. */
  readonly exitCode: number | undefined;
  /** Last lines that it wrote. */
  readonly log: readonly string[] | undefined;
  /** All failures of a file that are known at once, in its order; this error stands for them. */
  readonly errors: readonly BuildError[] | undefined;

  constructor(code: ErrorCode, message: string, details: BuildErrorDetails = {}) {
    super(hideLogins(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'BuildError';
    this.code = code;
    this.hint = details.hint === undefined ? undefined : hideLogins(details.hint);
    this.location = details.location;
    this.about = details.about;
    this.retry = details.retry ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.exitCode = details.exitCode;
    this.log = details.log;
    this.errors = details.errors;
  }

  /** Throws all that is wrong with a file as one error; does nothing where nothing is. */
  static throwAll(errors: readonly BuildError[]): void {
    const [first, ...others] = errors;
    if (first !== undefined) throw BuildError.together([first, ...others]);
  }

  /** One error for all that is wrong with a file: the only one itself, or one that counts and holds them. */
  static together(errors: readonly [BuildError, ...BuildError[]]): BuildError {
    const [first] = errors;
    if (errors.length === 1) return first;
    const file = first.location?.file ?? 'the file';
    return new BuildError(first.code, `${file} has ${errors.length} errors`, { errors });
  }

  /** The same error, placed in a file, unless it already says where it happened. */
  at(location: SourceRange): BuildError {
    return this.location === undefined ? this.placedAt(location) : this;
  }

  /** The same error at another, finer place. */
  placedAt(location: SourceRange): BuildError {
    return this.with({ location });
  }

  /** The same error, with some details in the place of its own. */
  with(others: BuildErrorDetails): BuildError {
    const { code, message, cause, ...details } = this;
    const given = Object.entries({ ...details, cause, ...others }).filter(([, value]) => value !== undefined);
    return new BuildError(code, message, Object.fromEntries(given));
  }
}

/**
 * What a system error of writing into the store means to a user: a full disk and a store that cannot be written are
 * theirs to mend. Undefined for every other error.
 */
export function writingFailed(error: unknown): BuildError | undefined {
  const code = errnoOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new BuildError('disk-full', `the disk of the store is full (${code})`, {
      cause: error,
      hint: 'Free some space with "tsbuild prune", or choose another disk with --root or TSBUILD_ROOT.',
    });
  }
  if (code !== 'EROFS') return undefined;
  return new BuildError('store', `the store cannot be written (${code})`, {
    cause: error,
    hint: 'Check the permissions of the store, or choose another one with --root or TSBUILD_ROOT.',
  });
}

/** Wrong use of the command line: exit code 2. */
export function usageError(message: string, hint?: string): BuildError {
  return new BuildError('usage', message, hint === undefined ? {} : { hint });
}

/**
 * The nearest of `candidates` to what was written, or undefined when none is close: fewer than three
 * edits (insert, delete, replace), compared without case.
 */
export function didYouMean(written: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of candidates) {
    const distance = editDistance(written.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance < Math.max(written.length, candidate.length)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `Did you mean x?`, where something is near: the first choice for a hint. */
export function suggestion(written: string, candidates: Iterable<string>): string | undefined {
  const near = didYouMean(written, candidates);
  return near === undefined ? undefined : `Did you mean ${near}?`;
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) >= 3) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The code of a system error (`ENOENT`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
