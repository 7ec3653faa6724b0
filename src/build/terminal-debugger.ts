import {
  type Answer,
  answerCodes,
  type BreakPlace,
  type Debugger,
  type OpenShell,
  type Stop,
} from '../../builder/debug/debugger.ts';
import { askLine, shellTerminal } from '../commands/terminal.ts';
import type { BuildOptions, DebugTerminal } from '../core/options.ts';
import { renderStop } from '../report/stop.ts';
import type { Breakpoint } from './breakpoints.ts';

interface DebuggerOptions {
  readonly atFailures: boolean;
  readonly breakpoints: readonly Breakpoint[];
  readonly terminal: DebugTerminal;
  readonly options: BuildOptions;
}

/** Lets the person at the terminal look around: one stop after the other, and none after they have ended the build. */
export class TerminalDebugger implements Debugger {
  readonly atFailures: boolean;
  readonly #breakpoints: readonly Breakpoint[];
  readonly #terminal: DebugTerminal;
  readonly #signal: AbortSignal;
  /** Why the build cannot go on with what failed. */
  readonly #refused: string | undefined;
  readonly #passed = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor({ atFailures, breakpoints, terminal, options }: DebuggerOptions) {
    this.atFailures = atFailures;
    this.#breakpoints = breakpoints;
    this.#terminal = terminal;
    this.#signal = options.signal;
    this.#refused = whyNotByHand(options);
  }

  breaksIn(stage: number): boolean {
    return this.#breakpoints.some((point) => point.stage === stage);
  }

  breaksBefore(place: BreakPlace): boolean {
    return this.#breakpoints.some((point) => isAt(point, place)) && !this.#passed.has(nameOf(place));
  }

  pass(place: BreakPlace): void {
    this.#passed.add(nameOf(place));
  }

  stop(stop: Stop, open: OpenShell): Promise<Answer> {
    const answer = this.#last.then(async () => (this.#ended ? 'quit' : await this.#talk(stop, open)));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async idle(): Promise<void> {
    await this.#last;
  }

  async #talk(stop: Stop, open: OpenShell): Promise<Answer> {
    this.#signal.throwIfAborted();
    const release = this.#terminal.hold();
    try {
      this.#terminal.say(renderStop(stop, this.#refused));
      const answer = await this.#answerOf(stop, open);
      this.#ended = answer === 'quit';
      return answer;
    } finally {
      release();
    }
  }

  /** What the shell was left with, or what is said once it was left without a word. */
  async #answerOf(stop: Stop, open: OpenShell): Promise<Answer> {
    for (;;) {
      const code = await open(shellTerminal());
      let answer = words.find((word) => answerCodes[word] === code) ?? (await this.#ask(stop));
      while (answer !== 'shell') {
        const no = this.#refusalOf(answer, stop);
        if (no === undefined) return answer;
        this.#terminal.say(`${no}\n`);
        answer = await this.#ask(stop);
      }
    }
  }

  async #ask(stop: Stop): Promise<Answer | 'shell'> {
    const known = [...words, 'shell' as const].filter((word) => this.#refusalOf(word, stop) === undefined);
    for (;;) {
      const line = await askLine(
        `${known.map((word) => word.replace(/^./, '[$&]')).join(', ')}? `,
        this.#signal,
      );
      // The end of the input: there is nobody.
      if (line === undefined) return 'quit';
      const word = line.trim().toLowerCase();
      const meant = known.find((one) => word !== '' && one.startsWith(word));
      if (meant !== undefined) return meant;
    }
  }

  #refusalOf(answer: Answer | 'shell', { failure }: Stop): string | undefined {
    if (answer === 'retry' && failure === undefined) return 'nothing has been run yet: there is no retry';
    return answer === 'continue' && failure !== undefined ? this.#refused : undefined;
  }
}

const words = Object.keys(answerCodes) as Answer[];

function isAt({ stage, file, line }: Breakpoint, { stage: index, instruction }: BreakPlace): boolean {
  const { range } = instruction;
  return stage === index && file === range.file && line === range.startLine;
}

function nameOf({ stage, instruction, platform }: BreakPlace): string {
  return `${platform} ${stage} ${instruction.range.startLine}`;
}

/** Whoever is given the result must be able to rely on the file that it was made from. */
function whyNotByHand({ outputs, cacheTo, attest, sign }: BuildOptions): string | undefined {
  const flags = [
    ...(outputs.some(({ type }) => type === 'registry') ? ['--push'] : []),
    ...(cacheTo.length > 0 ? ['--cache-to'] : []),
    ...(attest.provenance === undefined ? [] : ['--provenance']),
    ...(sign === undefined ? [] : ['--sign']),
  ];
  if (flags.length === 0) return undefined;
  return `a build with ${flags.join(', ')} does not go on with files that were made by hand: others would take them for what the file makes`;
}
