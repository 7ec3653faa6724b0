import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Answer, answerCodes } from './debugger.ts';

/** Where a shell that is opened for somebody finds what it brings along. In /dev, which is no part of any image. */
export const SHELL_FOLDER = '/dev/tsbuild';

/** Shells that are of use at a terminal, and how they are told to read our file first. */
const readers: Readonly<Record<string, (file: string) => StartedShell>> = {
  bash: (file) => ({ flags: ['--rcfile', file, '-i'], env: {} }),
  ...Object.fromEntries(
    ['sh', 'ash', 'dash', 'ksh', 'mksh'].map((name) => [
      name,
      (file: string) => ({ flags: ['-i'], env: { ENV: file } }),
    ]),
  ),
  zsh: () => ({ flags: ['-i'], env: {} }),
};

interface StartedShell {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Whether a program is a shell that people type into. */
export function isShell(program: string): boolean {
  return Object.hasOwn(readers, basename(program));
}

/** How a shell is started so that it reads the file that `writeStartFile` wrote. */
export function startedWith(program: string): StartedShell {
  return readers[basename(program)]!(`${SHELL_FOLDER}/${FILE}`);
}

/** What a shell of the image reads first: the answers as commands, and a prompt that tells where one is. */
export function writeStartFile(folder: string): void {
  const aliases = (Object.keys(answerCodes) as Answer[]).map(
    (answer) => `alias ${answer}='exit ${answerCodes[answer]}'`,
  );
  const lines = ['unset ENV', ownSettings, ...aliases, "PS1='(debug) $PWD # '"];
  writeFileSync(join(folder, FILE), `${lines.join('\n')}\n`, { mode: 0o644 });
}

const FILE = 'start';
/** bash reads our file in the place of this one. */
const ownSettings = '[ -n "$BASH_VERSION" ] && [ -r ~/.bashrc ] && . ~/.bashrc';
