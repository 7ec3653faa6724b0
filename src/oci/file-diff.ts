import type { Digest } from '../core/digest.ts';
import type { Entry, EntryType } from '../core/types.ts';

/** A file, directory or link that is not the same in two images. */
export interface FileChange {
  /** Relative to the root; '' is the root itself. */
  readonly path: string;
  readonly how: 'added' | 'removed' | 'changed';
  /** What of it differs, where it is in both. */
  readonly aspects: readonly Aspect[];
  readonly before?: FileState;
  readonly after?: FileState;
}

export type Aspect = 'type' | 'content' | 'mode' | 'owner' | 'link' | 'device' | 'xattrs' | 'time';

export interface FileState {
  readonly type: EntryType;
  /** Octal, as `0644`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly digest?: Digest;
  readonly link?: string;
  readonly device?: string;
  /** Values in base64. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** ISO, in whole seconds. */
  readonly time: string;
}

/** What differs between two file systems, in path order. Both are sorted by path, and name no path twice. */
export function fileChanges(
  a: readonly Entry[],
  b: readonly Entry[],
  { times }: { readonly times: boolean },
): readonly FileChange[] {
  const changes: FileChange[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [before, after] = [a[i], b[j]];
    const isFirst = before !== undefined && (after === undefined || before.path <= after.path);
    const isSecond = after !== undefined && (before === undefined || after.path <= before.path);
    changes.push(...changeOf(isFirst ? before : undefined, isSecond ? after : undefined, times));
    if (isFirst) i++;
    if (isSecond) j++;
  }
  return changes;
}

function changeOf(before: Entry | undefined, after: Entry | undefined, times: boolean): FileChange[] {
  const path = (before ?? after)!.path;
  if (before === undefined) return [{ path, how: 'added', aspects: [], after: stateOf(after!) }];
  if (after === undefined) return [{ path, how: 'removed', aspects: [], before: stateOf(before) }];
  const aspects = aspectsOf(before, after, times);
  return aspects.length === 0
    ? []
    : [{ path, how: 'changed', aspects, before: stateOf(before), after: stateOf(after) }];
}

function aspectsOf(a: Entry, b: Entry, times: boolean): Aspect[] {
  const isSameType = a.type === b.type;
  const differs: Readonly<Record<Aspect, boolean>> = {
    type: !isSameType,
    content: isSameType && (a.digest !== b.digest || a.size !== b.size),
    // The mode of a link means nothing.
    mode: a.mode !== b.mode && !(a.type === 'symlink' && isSameType),
    owner: a.uid !== b.uid || a.gid !== b.gid,
    link: isSameType && a.link !== b.link,
    device: isSameType && deviceOf(a) !== deviceOf(b),
    xattrs: xattrsText(a) !== xattrsText(b),
    time: times && a.mtime !== b.mtime,
  };
  return (Object.keys(differs) as Aspect[]).filter((aspect) => differs[aspect]);
}

function stateOf(entry: Entry): FileState {
  const { type, mode, uid, gid, size, digest, link, xattrs } = entry;
  const device = deviceOf(entry);
  return {
    type,
    mode: `0${mode.toString(8).padStart(3, '0')}`,
    uid,
    gid,
    size,
    ...(digest !== undefined && { digest }),
    ...(link !== undefined && { link }),
    ...(device !== undefined && { device }),
    ...(xattrs !== undefined && { xattrs: inBase64(xattrs) }),
    time: timeOf(entry.mtime),
  };
}

function deviceOf({ device }: Entry): string | undefined {
  return device === undefined ? undefined : `${device.major}:${device.minor}`;
}

function xattrsText({ xattrs = {} }: Entry): string {
  return JSON.stringify(Object.entries(xattrs).sort());
}

function inBase64(xattrs: Readonly<Record<string, string>>): Record<string, string> {
  const values = Object.entries(xattrs).map(([name, value]) => [
    name,
    Buffer.from(value, 'latin1').toString('base64'),
  ]);
  return Object.fromEntries(values) as Record<string, string>;
}

/** A time beyond what a date can say stays a number of seconds. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000Z', 'Z');
}
