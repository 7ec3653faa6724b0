import type { Screen } from './screen.ts';
import { type Speaker, Turns } from './turns.ts';

/** Whoever speaks in a log, under a number and a name. */
export interface Named extends Speaker {
  readonly number: number;
  readonly name: string;
  readonly startedAt: number;
  ended: boolean;
}

/** A line, or several; `lead` begins each of them. */
interface Words {
  readonly text: string;
  readonly lead?: string;
}

/** Where a system folds what is said, a step that says nothing is named after this time, in milliseconds. */
const NAME_AFTER_MS = 1000;

/** A log in which one speaks at a time. Texts are fit to be printed when they come. */
export class PlainLog<V extends Named> {
  readonly #screen: Screen;
  readonly #turns = new Turns<V>();
  /** Those that were not named yet. */
  readonly #unnamed = new Set<V>();
  #any = false;
  #turn = 0;
  /** The part of the log that is open for whoever speaks, where a system folds. */
  #section: string | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** A vertex begins: it is named when it has its turn, even where it says nothing. */
  begin(vertex: V, now: number): void {
    this.#unnamed.add(vertex);
    this.look(now);
  }

  /** Words about a vertex, which are printed when it has its turn. */
  say(vertex: V, { text, lead = '' }: Words, now: number): void {
    const start = `#${vertex.number} ${lead}`;
    vertex.pending += `${start}${text.replaceAll('\n', `\n${start}`)}\n`;
    this.#turns.waits(vertex, now);
    this.look(now);
  }

  /** The last word about a vertex: it is said at once, and somebody else goes on. */
  end(vertex: V, word: string, now: number): void {
    vertex.ended = true;
    const before = `${this.#speak(vertex, now)}${this.#closeSection()}`;
    this.#turns.stop();
    this.#write(`${before}#${vertex.number} ${word}\n`);
    this.look(now);
  }

  /** Lets whoever has to speak. */
  look(now: number): void {
    const silentMs = this.#screen.marks === undefined ? 0 : NAME_AFTER_MS;
    for (const vertex of this.#unnamed)
      if (now - vertex.startedAt >= silentMs) this.#turns.waits(vertex, now);
    for (let next = this.#turns.next(now); next !== undefined; next = this.#turns.next(now))
      this.#write(this.#speak(next, now));
  }

  /** A text that belongs to nobody, and interrupts nobody. */
  aside(text: string): void {
    const gap = this.#any && this.#turns.current === undefined ? '\n' : '';
    this.#write(`${gap}${text}\n`);
  }

  /** Says all that is still to be said. */
  close(): void {
    this.look(Number.POSITIVE_INFINITY);
    this.#write(this.#closeSection());
    this.#turns.stop();
  }

  #write(text: string): void {
    if (text === '') return;
    this.#any = true;
    this.#screen.write(text);
  }

  /** What waits to be said by a vertex, with its name first where somebody else has spoken. */
  #speak(vertex: V, now: number): string {
    const { pending } = vertex;
    const name = this.#turns.current === vertex ? '' : this.#introduce(vertex, pending !== '');
    this.#turns.begin(vertex, now);
    this.#unnamed.delete(vertex);
    vertex.pending = '';
    return name + pending;
  }

  #introduce(vertex: V, speaks: boolean): string {
    const before = this.#interrupt();
    const gap = this.#any ? '\n' : '';
    const title = `#${vertex.number} ${vertex.name}`;
    const { marks } = this.#screen;
    if (marks === undefined || (vertex.ended && !speaks)) return `${before}${gap}${title}\n`;
    this.#section = `step_${vertex.number}_${++this.#turn}`;
    return `${before}${gap}${marks.open(this.#section, title)}`;
  }

  /** Whoever speaks will go on later. */
  #interrupt(): string {
    const { current } = this.#turns;
    this.#turns.stop();
    return current === undefined ? '' : `#${current.number} ...\n${this.#closeSection()}`;
  }

  #closeSection(): string {
    const section = this.#section;
    this.#section = undefined;
    return section === undefined ? '' : this.#screen.marks!.close(section);
  }
}
