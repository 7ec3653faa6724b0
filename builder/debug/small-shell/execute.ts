import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { builtIns } from './built-in.ts';
import { type Command, type Pipeline, parseLine, type Word } from './parse.ts';

/** Runs a line; gives the code of the last command. `last` is that of the line before. */
export function execute(line: string, last: number): number {
  let code = last;
  const lookup = (name: string): string => (name === '?' ? String(code) : (process.env[name] ?? ''));
  // Each part is expanded only when it is its turn: what stands before it may set a variable.
  const parts = parseLine(line, lookup).length;
  for (let at = 0; at < parts; at++) {
    const { when, commands } = parseLine(line, lookup)[at]!;
    if ((when === '&&' && code !== 0) || (when === '||' && code === 0)) continue;
    code = runPipeline(commands);
  }
  return code;
}

function runPipeline(commands: Pipeline['commands']): number {
  let passed: Buffer | undefined;
  let code = 0;
  for (const [at, command] of commands.entries()) {
    const isLast = at === commands.length - 1;
    const done = runCommand(command, passed, !isLast || command.output !== undefined);
    passed = isLast ? undefined : done.output;
    code = done.code;
    if (isLast) put(command.output, done.output);
  }
  return code;
}

interface Done {
  readonly code: number;
  readonly output: Buffer;
}

function runCommand(command: Command, passed: Buffer | undefined, captured: boolean): Done {
  const [name = '', ...words] = command.words.flatMap(filesOf);
  const input = command.input === undefined ? passed : readFileSync(command.input.text);
  const builtIn = Object.hasOwn(builtIns, name) ? builtIns[name] : undefined;
  if (builtIn === undefined) return runProgram([name, ...words], input, captured);
  try {
    return { code: 0, output: Buffer.from(builtIn(words, input ?? Buffer.alloc(0))) };
  } catch (error) {
    return failed(`${name}: ${asShellsSay(error as Error)}`, 1);
  }
}

/** A program of the image: it has our terminal, but for what is passed between commands. */
function runProgram([name, ...words]: readonly string[], input: Buffer | undefined, captured: boolean): Done {
  const { status, signal, stdout, error } = spawnSync(name!, words, {
    stdio: [input === undefined ? 'inherit' : 'pipe', captured ? 'pipe' : 'inherit', 'inherit'],
    maxBuffer: 1 << 28,
    ...(input !== undefined && { input }),
  });
  if (error !== undefined && status === null) return failed(`${name}: ${reasonOf(error)}`, 127);
  return { code: status ?? (signal === null ? 1 : 130), output: stdout ?? Buffer.alloc(0) };
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'not found; `help` lists what this shell knows' : error.message;
}

/** `a: no such file or directory`, of Node's `ENOENT: no such file or directory, open 'a'`. */
function asShellsSay({ message }: Error): string {
  const [, what, path] = /^E[A-Z]+: ([^,]+), \w+ '(.*)'$/.exec(message) ?? [];
  return path === undefined ? message : `${path}: ${what}`;
}

function failed(message: string, code: number): Done {
  writeSync(2, `${message}\n`);
  return { code, output: Buffer.alloc(0) };
}

function put(to: Command['output'], output: Buffer): void {
  if (to === undefined) writeAll(output);
  else if (to.append) appendFileSync(to.file.text, output);
  else writeFileSync(to.file.text, output);
}

function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

/** The names that a pattern stands for; the pattern itself where there is none. */
function filesOf({ text, pattern }: Word): string[] {
  if (!pattern) return [text];
  const parts = text.split('/');
  const found = parts.reduce<string[]>(
    (bases, part, at) => bases.flatMap((base) => matching(base, part, at > 0)),
    [''],
  );
  return found.length > 0 ? found : [text];
}

function matching(base: string, part: string, below: boolean): string[] {
  const prefix = below ? `${base}/` : '';
  if (!/[*?]/.test(part)) return [`${prefix}${part}`];
  const wanted = new RegExp(
    `^${part
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const names = namesIn(prefix === '' ? '.' : prefix);
  return names
    .filter((name) => wanted.test(name) && (part.startsWith('.') || !name.startsWith('.')))
    .map((name) => `${prefix}${name}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
