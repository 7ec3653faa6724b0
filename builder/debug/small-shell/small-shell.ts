import { createInterface, type Interface } from 'node:readline';
import { type Answer, answerCodes } from '../debugger.ts';
import { builtIns } from './built-in.ts';
import { execute } from './execute.ts';
import { takeVariables } from './variables.ts';

/**
 * The shell that is brought along where an image has none: a program of its own, run by Node in the step's sandbox. It has
 * the few commands of `built-in`, and starts programs of the image.
 */
const own: Readonly<Record<string, string>> = {
  help: `Commands: ${Object.keys(builtIns).sort().join(' ')}
Programs of the image are started by their names. Known are quotes, $NAME, * and ?, | ; && || and > >> <.
retry, continue and quit say what becomes of the step; exit leaves the shell.
`,
};

takeVariables();
let code = 0;
const [, , flag, text = ''] = process.argv;
if (flag === '-c') process.exit(run(text));
const shell = createInterface({
  input: process.stdin,
  output: process.stdout,
  terminal: process.stdin.isTTY,
});
// What it starts is interrupted, and the shell is not.
process.on('SIGINT', () => {});
process.stdout.write('The image has no shell: this is a small one of tsbuild. `help` lists what it knows.\n');
shell.on('line', (line) => {
  code = run(line);
  prompt(shell);
});
shell.on('SIGINT', () => {
  shell.write(null, { ctrl: true, name: 'u' });
  process.stdout.write('\n');
  prompt(shell);
});
shell.on('close', () => process.exit(code));
prompt(shell);

function prompt(at: Interface): void {
  at.setPrompt(`(debug) ${folderNow()} # `);
  at.prompt();
}

function folderNow(): string {
  try {
    return process.cwd();
  } catch {
    return '(a folder that is gone)';
  }
}

function run(line: string): number {
  const [word = '', number] = line.trim().split(/\s+/);
  if (word === 'exit') process.exit(number === undefined ? code : Number(number) || 0);
  if (Object.hasOwn(answerCodes, word)) process.exit(answerCodes[word as Answer]);
  const text = own[word];
  if (text !== undefined) {
    process.stdout.write(text);
    return 0;
  }
  return asCooked(() => execute(line, code));
}

/** Programs find the terminal as programs expect it, and not as the line editor does. */
function asCooked(work: () => number): number {
  const { stdin } = process;
  if (stdin.isTTY) stdin.setRawMode(false);
  try {
    return work();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  } finally {
    if (stdin.isTTY) stdin.setRawMode(true);
  }
}
