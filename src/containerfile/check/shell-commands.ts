/** A command as it is written, and the offset of its first character in the script. */
export interface ShellCommand {
  readonly text: string;
  readonly start: number;
}

/**
 * The commands of a script for a Bourne shell, each as it is written, those of compound commands not taken apart: what
 * ends at a newline, `;` or `&` outside of quotes, parentheses, loops and the like. `&&`, `||` and `|` do not end one.
 */
export function shellCommands(script: string): ShellCommand[] {
  const reader = new Reader(script);
  while (reader.at < script.length) reader.step();
  reader.end();
  return reader.commands;
}

/** What closes what; `then`, `do` and `else` only continue. */
const CLOSERS: Readonly<Record<string, string>> = {
  if: 'fi',
  case: 'esac',
  for: 'done',
  while: 'done',
  until: 'done',
  select: 'done',
  '{': '}',
};
const CONTINUING = ['then', 'do', 'else', 'elif', '!', 'time'];

class Reader {
  readonly commands: ShellCommand[] = [];
  at = 0;
  readonly #script: string;
  /** What ends the compound commands that are open, the innermost last. */
  readonly #open: string[] = [];
  /** Delimiters of here-documents whose bodies begin at the next line. */
  #documents: { readonly name: string; readonly tabs: boolean }[] = [];
  #start = 0;
  /** The next word is a command's first. */
  #first = true;
  /** The last thing was `&&`, `||` or `|`: the next line goes on. */
  #joins = false;

  constructor(script: string) {
    this.#script = script;
  }

  step(): void {
    const character = this.#script[this.at]!;
    if (character === '\n') this.#newline();
    else if (/[ \t\r]/.test(character)) this.at++;
    else if (character === '\\' && this.#script[this.at + 1] === '\n') this.at += 2;
    else if (character === '#') this.#comment();
    else if (character === '(') this.#enter(')');
    else if (character === ')') this.#leaveParenthesis();
    else if (/[;&|]/.test(character)) this.#operator();
    else if (this.#script.startsWith('<<', this.at)) this.#document();
    else if (/[<>]/.test(character)) this.at++;
    else this.#word();
  }

  end(): void {
    const written = this.#script.slice(this.#start, this.at);
    const text = written.trim();
    const start = this.#start + written.length - written.trimStart().length;
    if (text !== '' && !text.startsWith('#')) this.commands.push({ text, start });
    this.#start = this.at;
  }

  #separate(length: number): void {
    if (this.#open.length === 0) this.end();
    this.at += length;
    if (this.#open.length === 0) this.#start = this.at;
    this.#first = true;
  }

  #newline(): void {
    const joined = this.#joins;
    if (joined) this.at++;
    else this.#separate(1);
    for (const { name, tabs } of this.#documents) this.#skipBody(name, tabs);
    if (this.#documents.length > 0 && this.#open.length === 0 && !joined) this.#start = this.at;
    this.#documents = [];
    this.#first = true;
  }

  #skipBody(name: string, tabs: boolean): void {
    while (this.at < this.#script.length) {
      const end = this.#script.indexOf('\n', this.at);
      const line = this.#script.slice(this.at, end < 0 ? undefined : end);
      this.at = end < 0 ? this.#script.length : end + 1;
      if ((tabs ? line.replace(/^\t+/, '') : line) === name) return;
    }
  }

  #comment(): void {
    const end = this.#script.indexOf('\n', this.at);
    const stop = end < 0 ? this.#script.length : end;
    if (this.#first && this.#open.length === 0) this.#start = stop;
    this.at = stop;
  }

  #enter(closer: string): void {
    this.#open.push(closer);
    this.#joins = false;
    this.at++;
    this.#first = true;
  }

  /** A `)` that nothing opened ends a pattern of `case`; behind `()` stands the body of a function. */
  #leaveParenthesis(): void {
    const isFunction = this.#script[this.at - 1] === '(';
    if (this.#open.at(-1) === ')') this.#open.pop();
    this.at++;
    this.#first = isFunction || this.#open.at(-1) === 'esac';
  }

  #operator(): void {
    const [operator] = /^(?:&&|\|\||\|&|;;&?|;&|[;&|])/.exec(this.#script.slice(this.at))!;
    if (operator === ';' || (operator === '&' && this.#script[this.at - 1] !== '>')) this.#separate(1);
    else {
      this.at += operator.length;
      this.#joins = /^[&|]{2}$|^\|/.test(operator);
      this.#first = operator !== '&';
    }
  }

  #document(): void {
    const match = /^<<(-?)[ \t]*(["']?)([\w.-]+)\2/.exec(this.#script.slice(this.at));
    if (match !== null) this.#documents.push({ name: match[3]!, tabs: match[1] === '-' });
    this.at += match?.[0].length ?? 2;
  }

  #word(): void {
    const start = this.at;
    this.#joins = false;
    while (this.at < this.#script.length && !/[\s;&|()<>]/.test(this.#script[this.at]!)) this.#part();
    const word = this.#script.slice(start, this.at);
    if (!this.#first) return;
    if (word === this.#open.at(-1)) this.#open.pop();
    else if (Object.hasOwn(CLOSERS, word)) this.#open.push(CLOSERS[word]!);
    this.#first = Object.hasOwn(CLOSERS, word)
      ? !['for', 'case', 'select'].includes(word)
      : CONTINUING.includes(word);
  }

  /** A character of a word, or a quoted or substituted part of it. */
  #part(): void {
    const rest = this.#script.slice(this.at, this.at + 2);
    if (rest.startsWith('\\')) this.at += 2;
    else if (rest.startsWith("'")) this.#until("'");
    else if (rest.startsWith('"')) this.#until('"');
    else if (rest.startsWith('`')) this.#until('`');
    else if (rest === '$(') this.#nested('(', ')');
    else if (rest === '${') this.#nested('{', '}');
    else this.at++;
  }

  #until(quote: string): void {
    this.at++;
    while (this.at < this.#script.length && this.#script[this.at] !== quote) {
      const character = this.#script[this.at];
      if (quote === '"' && this.#script.startsWith('$(', this.at)) this.#nested('(', ')');
      else this.at += character === '\\' && quote !== "'" ? 2 : 1;
    }
    this.at++;
  }

  #nested(open: string, close: string): void {
    this.at++;
    let depth = 0;
    while (this.at < this.#script.length) {
      const character = this.#script[this.at]!;
      if (character === '"' || character === "'") this.#until(character);
      else {
        this.at += character === '\\' ? 2 : 1;
        if (character === open) depth++;
        if (character === close && --depth === 0) return;
      }
    }
  }
}
