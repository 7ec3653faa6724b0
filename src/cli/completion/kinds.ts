import type { CommandDefinition, FlagValue } from '../definitions.ts';

/** What a value or a word may be: one of a few words, or something that the shell or the store knows. */
export type Kind =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'folder' | 'images' | 'builds' | 'caches' | 'any' };

const byValueName: Readonly<Record<string, Kind['kind']>> = {
  file: 'file',
  key: 'file',
  'host:path': 'file',
  folder: 'folder',
  image: 'images',
};

/** What a flag's value may be, by what stands for it in help. */
export function kindOfValue({ valueName, choices }: FlagValue): Kind {
  if (choices.length > 0) return { kind: 'words', words: choices };
  if (valueName === 'bool') return { kind: 'words', words: ['true', 'false'] };
  return { kind: byValueName[valueName] ?? 'any' } as Kind;
}

const imageCommands = ['push', 'run', 'inspect', 'history', 'tag', 'rmi', 'save', 'layers', 'diff', 'mount'];

/** What the words of a command may be. */
export function kindOfWords({ name }: Pick<CommandDefinition, 'name'>): Kind {
  if (name === 'build') return { kind: 'folder' };
  if (imageCommands.includes(name) || name.startsWith('manifest ')) return { kind: 'images' };
  if (['logs', 'explain', 'report', 'debug'].includes(name)) return { kind: 'builds' };
  if (name === 'cache export' || name === 'cache import') return { kind: 'caches' };
  if (name === 'completion') return { kind: 'words', words: ['bash', 'zsh', 'fish'] };
  return { kind: 'any' };
}

/** Words that begin a command, those of a family once: `build`, `cache`. */
export function firstWords(all: readonly Pick<CommandDefinition, 'name'>[]): string[] {
  return [...new Set(all.map(({ name }) => name.split(' ')[0]!))];
}

/** Families of commands and their second words: `cache` → `ls`, `export`, `import`. */
export function families(
  all: readonly Pick<CommandDefinition, 'name'>[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { name } of all) {
    const [first, second] = name.split(' ') as [string, string | undefined];
    if (second !== undefined) found.set(first, [...(found.get(first) ?? []), second]);
  }
  return found;
}
