/**
 * What a step, a registry or a Containerfile wrote is hostile to a terminal: it may move the cursor, set the title,
 * write the clipboard or answer queries. Everything printed passes through here.
 */

/** CSI with its colours apart, OSC/DCS/APC/PM/SOS strings (also unended ones), and two-byte escapes. */
const sequences =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)|\x1b[ -/]*[0-~]?/g;
const colours = /^\x1b\[[0-9;:]*m$/;
const controls = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text in which nothing has to be cleaned; most is. */
const harmless = /^[\n\x20-\x7e]*$/;

/** One line of a step's log, fit to be shown: what overwrote itself by carriage returns shows its last state. */
export function cleanLine(line: string, options: CleanOptions = { colour: false }): string {
  if (harmless.test(line)) return line;
  const text = line.replace(sequences, (sequence) =>
    options.colour && colours.test(sequence) ? sequence : '',
  );
  const trimmed = text.endsWith('\r') ? text.slice(0, -1) : text;
  const shown = trimmed.slice(trimmed.lastIndexOf('\r') + 1).replaceAll('\t', '    ');
  const clean = shown.replace(controls, '');
  return options.colour && clean.includes('\x1b[') ? `${clean}\x1b[0m` : clean.replaceAll('\x1b', '');
}

/** A name or a value, fit to be shown within a line: what would end the line, or hide its beginning, is written out. */
export function cleanName(text: string): string {
  return cleanLine(text.replaceAll('\n', '\\n').replaceAll('\r', '\\r'));
}

interface CleanOptions {
  /** Lets colours through. */
  readonly colour: boolean;
}

/** Text of several lines, each cleaned. */
export function cleanText(text: string, options?: CleanOptions): string {
  if (harmless.test(text)) return text;
  return text
    .split('\n')
    .map((line) => cleanLine(line, options))
    .join('\n');
}

/** Puts a stream of chunks together into lines; a line longer than `limit` characters is cut there. */
export class Lines {
  #rest = '';
  readonly #limit: number;

  constructor(limit = 16_384) {
    this.#limit = limit;
  }

  /** The lines that this chunk ended, each with its end. */
  add(chunk: string): string {
    const text = this.#rest + chunk;
    const end = text.lastIndexOf('\n') + 1;
    let whole = text.slice(0, end);
    this.#rest = text.slice(end);
    while (this.#rest.length > this.#limit) {
      whole += `${this.#rest.slice(0, this.#limit)}\n`;
      this.#rest = this.#rest.slice(this.#limit);
    }
    return whole;
  }

  /** What has no line end yet; it stays. */
  get partial(): string {
    return this.#rest;
  }

  /** The last line where it had no end; now it has one. */
  end(): string {
    const last = this.#rest;
    this.#rest = '';
    return last === '' ? '' : `${last}\n`;
  }
}
