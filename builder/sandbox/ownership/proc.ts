import type { Arena } from '../../../src/sys/arena.ts';
import { AT_FDCWD, close, O_CLOEXEC, openat, read } from '../../../src/sys/descriptor.ts';
import { at } from './notification.ts';

/** What /proc says in text of the processes of a step, read without a detour: it is asked for at most calls. */
export class Proc {
  readonly #arena: Arena;

  constructor(of: Arena) {
    this.#arena = of;
  }

  /** The first 4 KiB of a file; undefined where the process is gone. */
  read(name: string): string | undefined {
    const { bytes, address } = this.#arena;
    const length = bytes.write(`/proc/${name}`, at.procPath, 'latin1');
    bytes[at.procPath + length] = 0;
    const fd = openat(AT_FDCWD, address + at.procPath, O_CLOEXEC);
    if (fd < 0) return undefined;
    const got = read(fd, address + at.text, at.more - at.text);
    close(fd);
    return got <= 0 ? undefined : bytes.toString('latin1', at.text, at.text + got);
  }

  /** A line of /proc/PID/status. */
  statusField(pid: number, name: string): string | undefined {
    return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(this.read(`${pid}/status`) ?? '')?.[1];
  }
}
