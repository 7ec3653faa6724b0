import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ShellTerminal } from '../../builder/debug/debugger.ts';
import type { TerminalSize } from '../../builder/sandbox/plan.ts';

/** Puts the terminal back as it was, however the process that had it ended. */
export function keepTerminal(): Disposable {
  const settings = stty('-g');
  return { [Symbol.dispose]: () => void stty(settings) };
}

export function terminalSize(): TerminalSize {
  const [rows = 0, columns = 0] = stty('size').split(' ').map(Number);
  return { rows, columns };
}

/** Our terminal for a shell: shown on stderr, since stdout is for the result. */
export function shellTerminal(): ShellTerminal {
  return {
    kind: process.env.TERM || 'xterm',
    size: terminalSize(),
    onResize(listener) {
      const told = (): void => listener(terminalSize());
      process.on('SIGWINCH', told);
      return () => process.off('SIGWINCH', told);
    },
    write: (chunk) => void process.stderr.write(chunk),
  };
}

/** Asks for a line on the terminal; undefined where the input ends. Rejects with the reason of an aborted signal. */
export async function askLine(question: string, signal: AbortSignal): Promise<string | undefined> {
  signal.throwIfAborted();
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      reader.once('close', () => resolve(undefined));
      reader.question(question, resolve);
    });
  } finally {
    reader.close();
  }
}

/** Asks or sets the terminal at stdin. */
function stty(words: string): string {
  return execFileSync('stty', [words], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' }).trim();
}
