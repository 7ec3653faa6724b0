import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** A terminal of 80 by 24 with a command at it, and somebody who types. */
export interface Terminal extends AsyncDisposable {
  readonly pid: number;
  /** All that was shown so far. */
  readonly shown: string;
  /** Waits until `text` is shown behind what was waited for before. */
  sees(text: string): Promise<void>;
  /** Types; a line needs its newline. */
  type(text: string): void;
  /** The exit code, once the command has ended. */
  ended(): Promise<number>;
  /** Ends the command, and only it, as the kernel would. */
  kill(): void;
}

/** Starts a command at a terminal of its own. Needs python3, which can make one. */
export function openTerminal(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Terminal {
  const env = { ...options.env, TERM: 'xterm' };
  return new Typist(spawn('python3', ['-c', bridge, ...command], { ...options, env, stdio: 'pipe' }));
}

/** Passes what is typed to a terminal, and what it shows; the first line is the id of the command's process. */
const bridge = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
os.write(1, b'%d\\n' % pid)
while True:
    ready = select.select([0, fd], [], [])[0]
    if fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            break
        os.write(fd, data)
os.close(fd)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
`;

/** What a command that says nothing for so long waits for is nothing that it will be given. */
async function silence(): Promise<false> {
  return await sleep(30_000, false, { ref: false });
}

class Typist implements Terminal {
  readonly #bridge: ChildProcess;
  readonly #ended: Promise<number>;
  #all = '';
  #seen = 0;

  constructor(process: ChildProcess) {
    this.#bridge = process;
    process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#all += text;
    });
    process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#all += text;
    });
    this.#ended = once(process, 'close').then(([code]) => code as number);
  }

  get pid(): number {
    return Number(this.#all.split('\n', 1)[0]);
  }

  get shown(): string {
    return this.#all.slice(this.#all.indexOf('\n') + 1);
  }

  async sees(text: string): Promise<void> {
    for (;;) {
      const at = this.#all.indexOf(text, this.#seen);
      if (at >= 0) {
        this.#seen = at + text.length;
        return;
      }
      const more = once(this.#bridge.stdout!, 'data').then(() => true);
      const goesOn = await Promise.race([more, this.#ended.then(() => false), silence()]);
      if (!goesOn && !this.#all.includes(text, this.#seen))
        throw new Error(`"${text}" was not shown:\n${this.shown}`);
    }
  }

  type(text: string): void {
    this.#bridge.stdin!.write(text);
  }

  ended(): Promise<number> {
    return this.#ended;
  }

  kill(): void {
    process.kill(this.pid, 'SIGKILL');
  }

  /** The terminal goes away, and with it what still runs there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#bridge.stdin!.end();
    await this.#ended;
  }
}
