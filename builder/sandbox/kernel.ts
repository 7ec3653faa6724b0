import { release } from 'node:os';

/** The kernel from which on an ordinary user may mount overlays. */
export const overlayKernel = '5.11';
/** The kernel that has every call of a step (mount_setattr is the youngest). */
export const stepKernel = '5.12';

/** Whether this kernel is older than `version`, such as `5.11`. */
export function isOlderThan(version: string, own = release()): boolean {
  const [[major = 0, minor = 0] = [], [ownMajor = 0, ownMinor = 0] = []] = [version, own].map((text) =>
    text.split(/[.-]/).map(Number),
  );
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}
