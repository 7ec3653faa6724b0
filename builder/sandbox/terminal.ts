import { ReadStream } from 'node:tty';
import { takeDescriptor } from '../../src/sys/pidfd.ts';
import { makeRaw, tcsetattr } from '../../src/sys/termios.ts';

/**
 * Takes our side of a step's terminal, the descriptor of this number in the process `pid`, and lets it and our own terminal
 * talk to each other until nobody has the step's side open any more. Ours is shown by `screen`.
 */
export function passTerminal(
  pid: number,
  { descriptor, screen = 1 }: { readonly descriptor: number; readonly screen?: 1 | 2 | undefined },
): Promise<void> {
  const shown = screen === 1 ? process.stdout : process.stderr;
  return connect(new ReadStream(takeDescriptor(pid, descriptor)), shown);
}

function connect(theirs: ReadStream, shown: NodeJS.WriteStream): Promise<void> {
  const { stdin } = process;
  const type = (chunk: Buffer): void => void (theirs.writable && theirs.write(chunk));
  const before = stdin.isTTY ? makeRaw(stdin.fd) : undefined;
  const restore = (): void => {
    if (before !== undefined) tcsetattr(stdin.fd, before);
  };
  // However we end.
  process.once('exit', restore);
  stdin.on('data', type);
  // Whoever read before has paused it.
  stdin.resume();
  theirs.pipe(shown, { end: false });
  // Reading from a terminal whose other side is closed is an error (EIO).
  theirs.on('error', () => {});
  return new Promise((resolve) => {
    theirs.once('close', () => {
      stdin.off('data', type);
      process.off('exit', restore);
      restore();
      stdin.pause();
      resolve();
    });
  });
}
