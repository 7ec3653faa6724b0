import type { Digest } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Session } from './session.ts';

/** One repository that is pushed to. */
export interface Target {
  readonly session: Session;
  readonly repository: string;
  readonly signal?: AbortSignal | undefined;
  readonly habits: Habits;
}

/** What a push has learnt of how its registry takes blobs, so that each blob does not have to learn it again. */
export interface Habits {
  /** Why it takes no blob in one request. */
  whole?: BuildError;
  /** Why it takes none in pieces. */
  pieces?: BuildError;
  /** The most bytes of a piece. */
  pieceBytes: number;
}

/** A repository as a message names it. */
export function nameOf({ session, repository }: Pick<Target, 'session' | 'repository'>): string {
  return `${session.host}/${repository}`;
}

/** True when a registry names another digest than ours. Of one in another algorithm nothing can be said. */
export function isOther(named: string | undefined, digest: Digest): named is string {
  return (named?.startsWith('sha256:') ?? false) && named !== digest;
}

/** The registry says that it stored something else than what was sent. */
export function otherDigest(
  target: Target,
  { stored, sent }: { readonly stored: string; readonly sent: Digest },
): BuildError {
  const message = `${nameOf(target)} stored ${stored.slice(0, 80)} where ${sent} was sent`;
  return new BuildError('digest-mismatch', message, { hint: 'Something on the way changes what is sent.' });
}
