import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

/** Gives what is written. Throws an Error where it fails. */
export type BuiltIn = (words: readonly string[], input: Buffer) => string | Buffer;

/** What the small shell can do by itself: to look at files and to mend them, where the image has no program for it. */
export const builtIns: Readonly<Record<string, BuiltIn>> = {
  cat: (files, input) =>
    files.length === 0 ? input : Buffer.concat(files.map((file) => readFileSync(file))),
  cd: ([folder = process.env.HOME ?? '/']) => {
    process.chdir(folder);
    return '';
  },
  chmod: ([mode = '', ...files]) => {
    if (!/^[0-7]{3,4}$/.test(mode)) throw new Error('the mode has to be octal, such as 755');
    for (const file of files) chmodSync(file, Number.parseInt(mode, 8));
    return '';
  },
  cp: (words) => {
    const [from, to] = two(plain(words));
    cpSync(from, into(to, from), { recursive: true, verbatimSymlinks: true });
    return '';
  },
  echo: (words) => `${words.join(' ')}\n`,
  env: () => lines(Object.entries(process.env).map(([name, value]) => `${name}=${value}`)),
  export: (words) => {
    for (const word of words) {
      const [name = '', ...value] = word.split('=');
      process.env[name] = value.join('=');
    }
    return '';
  },
  find: (folders) => lines((folders.length === 0 ? ['.'] : folders).flatMap(everythingIn)),
  grep: ([pattern = '', ...files], input) => {
    const wanted = new RegExp(pattern);
    return lines(textLines(files, input).filter((line) => wanted.test(line)));
  },
  head: (words, input) => lines(textLines(withoutCount(words), input).slice(0, countOf(words))),
  id: () => `uid=${process.getuid?.()} gid=${process.getgid?.()} groups=${process.getgroups?.().join(',')}\n`,
  ln: (words) => {
    if (words[0] !== '-s') throw new Error('only ln -s TARGET NAME is known');
    const [target, name] = two(plain(words));
    symlinkSync(target, into(name, target));
    return '';
  },
  ls: (words) => listing(words),
  mkdir: (words) => {
    for (const folder of plain(words)) mkdirSync(folder, { recursive: words.includes('-p') });
    return '';
  },
  mv: (words) => {
    const [from, to] = two(plain(words));
    renameSync(from, into(to, from));
    return '';
  },
  pwd: () => `${process.cwd()}\n`,
  rm: (words) => {
    const recursive = words.some((word) => /^-\w*r/i.test(word));
    const force = words.some((word) => /^-\w*f/.test(word));
    for (const file of plain(words)) rmSync(file, { recursive, force });
    return '';
  },
  tail: (words, input) => lines(textLines(withoutCount(words), input).slice(-countOf(words))),
  touch: (files) => {
    const now = new Date();
    for (const file of files) {
      writeFileSync(file, '', { flag: 'a' });
      utimesSync(file, now, now);
    }
    return '';
  },
  unset: (names) => {
    for (const name of names) delete process.env[name];
    return '';
  },
  which: (names) => lines(names.map((name) => found(name))),
};

function plain(words: readonly string[]): string[] {
  return words.filter((word) => !/^-\w/.test(word));
}

function two(words: readonly string[]): readonly [string, string] {
  const [from, to, extra] = words;
  if (from === undefined || to === undefined || extra !== undefined) throw new Error('two names are wanted');
  return [from, to];
}

/** A folder is where something goes into; anything else is its new name. */
function into(to: string, from: string): string {
  const isFolder = statSync(to, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? join(to, basename(from)) : to;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

function textLines(files: readonly string[], input: Buffer): string[] {
  const text =
    files.length === 0 ? input.toString() : files.map((file) => readFileSync(file, 'utf8')).join('');
  return text.replace(/\n$/, '').split('\n');
}

/** `-n 5`, `-5`; ten where nothing is said. */
function countOf(words: readonly string[]): number {
  const written = /-(?:n\s*)?(\d+)/.exec(words.join(' '))?.[1];
  return written === undefined ? 10 : Number(written);
}

function withoutCount(words: readonly string[]): string[] {
  return words.filter((word, at) => !/^-(n?\d*)$/.test(word) && words[at - 1] !== '-n');
}

function everythingIn(path: string): string[] {
  if (!lstatSync(path).isDirectory()) return [path];
  return [path, ...readdirSync(path).flatMap((name) => everythingIn(join(path, name)))];
}

function listing(words: readonly string[]): string {
  const flags = words.filter((word) => word.startsWith('-')).join('');
  const [first = '.', ...others] = plain(words);
  const [long, all] = [flags.includes('l'), flags.includes('a')];
  return [first, ...others]
    .map((path) => {
      const title = others.length > 0 && lstatSync(path).isDirectory() ? `${path}:\n` : '';
      return `${title}${lines(namesIn(path, all).map((name) => (long ? longLine(path, name) : name)))}`;
    })
    .join('\n');
}

function namesIn(path: string, all: boolean): string[] {
  lstatSync(path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [''];
  const entries = readdirSync(path, { withFileTypes: true }) as Dirent[];
  return entries
    .map(({ name }) => name)
    .filter((name) => all || !name.startsWith('.'))
    .sort();
}

function longLine(folder: string, name: string): string {
  const path = name === '' ? folder : join(folder, name);
  const stat = lstatSync(path);
  const link = stat.isSymbolicLink() ? ` -> ${readlinkSync(path)}` : '';
  const time = stat.mtime.toISOString().slice(0, 16).replace('T', ' ');
  const size = String(stat.size).padStart(10);
  return `${modeText(stat)} ${stat.uid}:${stat.gid} ${size} ${time} ${name || path}${link}`;
}

function modeText(stat: Stats): string {
  const kind = stat.isDirectory() ? 'd' : stat.isSymbolicLink() ? 'l' : stat.isFile() ? '-' : '?';
  return `${kind}${(stat.mode & 0o7777).toString(8).padStart(4, '0')}`;
}

function found(name: string): string {
  if (Object.hasOwn(builtIns, name)) return `${name}: part of this shell`;
  const folders = (process.env.PATH ?? '').split(':');
  const path = folders.map((folder) => join(folder || '.', name)).find(isExecutable);
  if (path === undefined) throw new Error(`${name} is not on PATH`);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
