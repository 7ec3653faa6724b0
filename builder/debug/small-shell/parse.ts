/** A word with its variables expanded; `pattern` where unquoted stars or question marks stand for names of files. */
export interface Word {
  readonly text: string;
  readonly pattern: boolean;
}

export interface Command {
  readonly words: readonly Word[];
  readonly input?: Word;
  readonly output?: { readonly file: Word; readonly append: boolean };
}

/** Commands joined by `|`, and when they are run after what stands before them. */
export interface Pipeline {
  readonly when: ';' | '&&' | '||';
  readonly commands: readonly Command[];
}

/** What variables are worth, `?` among them. */
export type Lookup = (name: string) => string;

const operators = ['&&', '||', '>>', ';', '|', '>', '<'] as const;
type Operator = (typeof operators)[number];

/** Takes a line apart as a shell would, as far as our small one goes. Throws an Error that says what it does not know. */
export function parseLine(line: string, lookup: Lookup): readonly Pipeline[] {
  const pipelines: { when: Pipeline['when']; commands: Command[] }[] = [{ when: ';', commands: [empty] }];
  const tokens = tokensOf(line, lookup);
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    const { commands } = pipelines.at(-1)!;
    if (typeof token !== 'string') commands.push(withWord(commands.pop()!, token));
    else if (token === '|') commands.push(empty);
    else if (token === ';' || token === '&&' || token === '||')
      pipelines.push({ when: token, commands: [empty] });
    else commands.push(redirected(commands.pop()!, token, tokens[++at]));
  }
  const wanted = pipelines.filter(({ commands }) => commands.length > 1 || commands[0]!.words.length > 0);
  if (wanted.some(({ commands }) => commands.some(({ words }) => words.length === 0)))
    throw new Error('a command is missing');
  return wanted;
}

const empty: Command = { words: [] };

function withWord(command: Command, word: Word): Command {
  return { ...command, words: [...command.words, word] };
}

function redirected(command: Command, operator: Operator, file: Operator | Word | undefined): Command {
  if (file === undefined || typeof file === 'string') throw new Error(`a file is missing behind ${operator}`);
  if (operator === '<') return { ...command, input: file };
  return { ...command, output: { file, append: operator === '>>' } };
}

function tokensOf(line: string, lookup: Lookup): (Operator | Word)[] {
  const tokens: (Operator | Word)[] = [];
  let at = 0;
  while (at < line.length) {
    const rest = line.slice(at);
    const operator = operators.find((one) => rest.startsWith(one));
    if (/\s/.test(rest[0]!)) at++;
    else if (rest[0] === '#') return tokens;
    else if (operator !== undefined) {
      tokens.push(operator);
      at += operator.length;
    } else {
      const { word, length } = wordOf(rest, lookup);
      tokens.push(word);
      at += length;
    }
  }
  return tokens;
}

/** One piece of a word: quoted, a variable, or plain. */
const piece =
  /^(?:'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\.)*)"|\\(?<escaped>.)|\$(?:(?<name>\w+|\?)|\{(?<braced>\w+|\?)\})|(?<plain>[^\s'"\\;|<>&$]+|&(?!&)|\$))/s;

function wordOf(rest: string, lookup: Lookup): { readonly word: Word; readonly length: number } {
  let [text, pattern, at] = ['', false, 0];
  for (let found = piece.exec(rest); found !== null; found = piece.exec(rest.slice(at))) {
    const { single, double, escaped, name, braced, plain } = found.groups!;
    const variable = name ?? braced;
    text +=
      single ?? escaped ?? plain ?? (double === undefined ? lookup(variable!) : inQuotes(double, lookup));
    pattern ||= /[*?]/.test(plain ?? '');
    at += found[0].length;
  }
  if (at === 0) throw new Error(`a quote is not closed: ${rest}`);
  return { word: { text, pattern }, length: at };
}

function inQuotes(text: string, lookup: Lookup): string {
  return text.replace(
    /\\(["\\$`])|\$(?:(\w+|\?)|\{(\w+|\?)\})/g,
    (_, escaped?: string, name?: string, braced?: string) => escaped ?? lookup((name ?? braced)!),
  );
}
