/** The mount that holds a path. */
export interface MountHere {
  /** `ext4`. */
  readonly type: string;
  /** `rw`, `noexec`, … as it was mounted here. */
  readonly flags: readonly string[];
}

/** The mount that holds a path, by the text of mountinfo (proc(5)). */
export function mountOf(path: string, mountinfo: string): MountHere | undefined {
  let best = '';
  let found: MountHere | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , escaped = '', flags = ''] = before.split(' ');
    const point = escaped.replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    // Of mounts on the same point the last is the one that is seen.
    if (point === '' || !holds || point.length < best.length) continue;
    [best, found] = [point, { type: after.split(' ')[0] ?? '', flags: flags.split(',') }];
  }
  return found;
}
