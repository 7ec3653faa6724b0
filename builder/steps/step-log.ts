import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { errnoOf } from '../../src/core/errors.ts';
import type { Emit } from '../../src/core/events.ts';
import { SecretMask, SecretTexts } from './secret-mask.ts';

/** How many of a step's last lines an error shows. */
const TAIL = 20;

/** Where the output of a step is kept. */
export function logFile(folder: string, step: string): string {
  return join(folder, `${step.replaceAll('/', '-')}.log`);
}

interface Surroundings {
  readonly emit: Emit;
  /** Values that are shown nowhere: stars stand in their place. */
  readonly secrets: readonly Buffer[];
}

/**
 * The output of one step: whole lines as events, everything in a file, the last lines for an error; all of it without
 * the secrets that the step knows.
 */
export class StepLog implements Disposable {
  readonly file: string;
  readonly #fd: number;
  readonly #step: string;
  readonly #emit: Emit;
  readonly #streams: Readonly<Record<'stdout' | 'stderr', Stream>>;
  readonly #tail: string[] = [];
  #broken = false;

  constructor(folder: string, step: string, { emit, secrets }: Surroundings) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.file = logFile(folder, step);
    this.#fd = openSync(this.file, 'w', 0o600);
    this.#step = step;
    this.#emit = emit;
    const texts = new SecretTexts(secrets);
    const stream = (): Stream => ({ lines: new LineSplitter(), mask: new SecretMask(texts) });
    this.#streams = { stdout: stream(), stderr: stream() };
  }

  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const { lines, mask } = this.#streams[stream];
    const shown = mask.push(chunk);
    this.#keep(shown);
    this.#show(stream, lines.push(shown));
  }

  /** The last lines so far, oldest first. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** Shows a last line that did not end in a newline. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const { lines, mask } = this.#streams[stream];
      const last = mask.rest();
      this.#keep(last);
      this.#show(stream, [...lines.push(last), ...lines.rest()]);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** The step goes on without its log where the disk is full: whether it can, shows when its layer is kept. */
  #keep(chunk: Buffer): void {
    if (this.#broken) return;
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at);
    } catch (error) {
      this.#broken = true;
      const text = `the log of this step ends early: ${this.file} cannot be written (${errnoOf(error)})`;
      this.#emit({ type: 'note', level: 'warning', text });
    }
  }

  #show(stream: 'stdout' | 'stderr', lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#tail.push(...lines.slice(-TAIL));
    this.#tail.splice(0, this.#tail.length - TAIL);
    this.#emit({ type: 'step-log', step: this.#step, stream, text: `${lines.join('\n')}\n` });
  }
}

interface Stream {
  readonly lines: LineSplitter;
  readonly mask: SecretMask;
}

/** A line longer than this, in characters, is shown in pieces: what never ends a line must not fill our memory. */
const LONGEST = 1 << 16;

/** Cuts a stream of bytes into lines of text; a character split between chunks is kept whole. */
class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #partial = '';

  push(chunk: Buffer): string[] {
    const lines = (this.#partial + this.#decoder.write(chunk)).split('\n');
    const rest = lines.pop()!;
    this.#partial = rest.length > LONGEST ? '' : rest;
    return rest.length > LONGEST ? [...lines, rest] : lines;
  }

  rest(): string[] {
    const last = this.#partial + this.#decoder.end();
    this.#partial = '';
    return last === '' ? [] : [last];
  }
}
