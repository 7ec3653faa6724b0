/**
 * How much of owners is kept where only one id exists (docs/decisions/0014): `all`; of `files` alone, while processes stay
 * root; or `nothing`, where what cannot work is answered as if it had been done.
 */
export type Recording = 'all' | 'files' | 'nothing';

/** What can be recorded here. */
export interface Recordable {
  readonly recording: Recording;
  /** Why not all: a clause. */
  readonly why?: string;
}

const prices: Readonly<Record<Recording, string>> = {
  all: 'owners are recorded',
  files:
    'owners of files are recorded, but no process becomes another user: what it makes as one is root’s, and programs that check who they are may fail (initdb, apt)',
  nothing:
    'owners are not recorded: chown and mknod say that they worked and do nothing, no process becomes another user, and programs that check may fail (initdb, apt)',
};

/** What is had here and what that costs, and why: a clause. */
export function describeRecording({ recording, why }: Recordable): string {
  return why === undefined ? prices[recording] : `${prices[recording]} (${why})`;
}

/** How all of it could be had. */
export const recordingRemedy =
  'Use Linux 5.14 or later, with no other supervisor of system calls around tsbuild (a build in a build has one); or have a range of ids.';
