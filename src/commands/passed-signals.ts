import type { RunningMounted } from '../../builder/sandbox/mounted/run.ts';

const passed = ['SIGINT', 'SIGTERM'] as const;

/**
 * The command decides about signals, as if it stood in our place; SIGINT of a terminal has reached it already. At no time is
 * a signal without a listener: it would end us, or be lost.
 */
export class PassedSignals implements Disposable {
  readonly #terminal: boolean;
  readonly #former: readonly (readonly [NodeJS.Signals, NodeJS.SignalsListener[]])[];
  readonly #waiting: NodeJS.Signals[] = [];
  #running: RunningMounted | undefined;

  constructor(terminal: boolean) {
    this.#terminal = terminal;
    this.#former = passed.map((name) => [name, process.listeners(name) as NodeJS.SignalsListener[]]);
    for (const [name, listeners] of this.#former) {
      process.on(name, this.#pass);
      for (const listener of listeners) process.off(name, listener);
    }
  }

  passTo(running: RunningMounted): void {
    this.#running = running;
    for (const signal of this.#waiting.splice(0)) this.#pass(signal);
  }

  readonly #pass = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' && this.#terminal) return;
    if (this.#running === undefined) this.#waiting.push(signal);
    else this.#running.send(signal);
  };

  [Symbol.dispose](): void {
    for (const [name, listeners] of this.#former) {
      for (const listener of listeners) process.on(name, listener);
      process.off(name, this.#pass);
    }
  }
}
