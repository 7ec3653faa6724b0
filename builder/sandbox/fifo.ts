import { chmodSync, closeSync, constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { errnoOf } from '../../src/core/errors.ts';
import { mknod } from '../../src/sys/file.ts';

/** Largest piece read at once: what a pipe holds. */
const PIPE_BYTES = 65_536;

/**
 * A named pipe that is read as it fills. Node's own pipes are socket pairs, which `/dev/stdout` cannot be opened on;
 * a fifo can (spec: sandbox, stdio).
 */
export interface Fifo {
  /** The end to hand to a child. */
  readonly writeEnd: number;
  /** Closes our copy of the write end, once the child has its own. */
  release(): void;
  /** Takes what is in the pipe at this moment and stops reading: processes that still hold it are not waited for. */
  drain(): void;
}

/** Makes a fifo at `path`. Its mode lets a process of any uid reopen it, so it has to lie in a private folder. `ended` is called after the last byte. */
export function openFifo(path: string, take: (chunk: Buffer) => void, ended: () => void = () => {}): Fifo {
  mknod(path, 'fifo', { mode: 0o600 });
  chmodSync(path, 0o666);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  const socket = new Socket({ fd: readEnd, readable: true, writable: false });
  socket.on('data', take);
  socket.on('error', () => {});
  socket.on('close', ended);
  let released = false;
  return {
    writeEnd,
    release() {
      if (!released) closeSync(writeEnd);
      released = true;
    },
    drain() {
      this.release();
      if (!socket.destroyed) readRest(readEnd, take);
      socket.destroy();
    },
  };
}

function readRest(fd: number, take: (chunk: Buffer) => void): void {
  for (;;) {
    const buffer = Buffer.allocUnsafe(PIPE_BYTES);
    let length: number;
    try {
      length = readSync(fd, buffer, 0, PIPE_BYTES, null);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return;
      throw error;
    }
    if (length === 0) return;
    take(buffer.subarray(0, length));
  }
}
