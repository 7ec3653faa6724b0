import { constants, copyFileSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { workerFile } from '../../src/core/worker.ts';
import { interpreterOf } from './elf-interpreter.ts';
import { VARIABLE_PREFIX } from './small-shell/variables.ts';
import { SHELL_FOLDER } from './start-file.ts';

/**
 * Puts a shell into `folder`, which is then shown as `SHELL_FOLDER`: Node itself with the libraries that it has loaded, and
 * our own small shell. It needs nothing of the image. Gives its command line.
 */
export function bringShell(folder: string): readonly string[] {
  const interpreter = interpreterOf(readFileSync(process.execPath));
  bring(process.execPath, join(folder, 'node'));
  bring(workerFile('small-shell'), join(folder, 'shell.js'));
  const program = [`${SHELL_FOLDER}/node`, `${SHELL_FOLDER}/shell.js`];
  if (interpreter === undefined) return program;
  for (const library of loadedLibraries()) bring(library, join(folder, basename(library)));
  bring(interpreter, join(folder, basename(interpreter)));
  return [`${SHELL_FOLDER}/${basename(interpreter)}`, '--library-path', SHELL_FOLDER, ...program];
}

/** The step's variables as the brought shell is given them. */
export function hiddenVariables(env: readonly string[]): string[] {
  return env.map((variable) => `${VARIABLE_PREFIX}${variable}`);
}

function bring(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
}

/** By the names under which programs ask for them. */
function loadedLibraries(): readonly string[] {
  const { sharedObjects } = process.report.getReport() as unknown as {
    readonly sharedObjects: readonly string[];
  };
  return sharedObjects.filter((path) => path.startsWith('/') && /\.so(\.\d+)*$/.test(path));
}
