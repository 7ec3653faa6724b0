import { normalPath } from '../core/paths.ts';
import type { Selection } from './select.ts';
import type { Settings } from './settings.ts';

/** A folder of a repository, at one commit. */
export interface RepositoryFolder {
  readonly url: string;
  readonly commit: string;
  /** '' for all of it. */
  readonly subdir: string;
}

/** The same targets, their folders in the repository that the definition came from; `cwd://` is where the command runs. */
export function inRepository(selection: Selection, folder: RepositoryFolder): Selection {
  const targets = [...selection.targets].map(([name, settings]) => [name, moved(settings, folder)] as const);
  return { ...selection, targets: new Map(targets) };
}

function moved(settings: Settings, folder: RepositoryFolder): Settings {
  const contexts = Object.entries(settings.contexts ?? {}).map(
    ([name, where]) => [name, where === null ? null : placed(where, folder)] as const,
  );
  return {
    ...settings,
    context: placed(settings.context ?? '.', folder),
    ...(contexts.length > 0 && { contexts: Object.fromEntries(contexts) }),
  };
}

function placed(where: string, { url, commit, subdir }: RepositoryFolder): string {
  if (/^[\w+.-]+:/.test(where) || /^[\w.-]+@[^/\s:]+:/.test(where)) return where;
  const path = normalPath(`/${subdir}/${where}`).slice(1);
  return `${url}#${commit}${path === '' ? '' : `:${path}`}`;
}
