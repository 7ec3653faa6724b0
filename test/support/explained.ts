import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildEvent } from '../../src/core/events.ts';
import { renderExplanation } from '../../src/report/explain.ts';

/** How a folder and a command are changed; paths are below the folder. */
export interface Edit {
  /** Lines of files; null takes one away. */
  readonly files?: Readonly<Record<string, readonly string[] | null>>;
  readonly modes?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  /** What the server gives from now on, by path. */
  readonly serve?: Readonly<Record<string, string>>;
  /** Commands besides, before the build. */
  readonly commands?: readonly (readonly string[])[];
  /** Flags of the build. */
  readonly flags?: readonly string[];
}

/** Two builds of a folder with one change between them, and what is to be told of it. */
export interface ExplainedChange extends Edit {
  readonly about: string;
  /** One of `projects` to begin with. */
  readonly project?: string;
  /** More for the first build. */
  readonly first?: Edit;
  /** Without it there is only one build. */
  readonly then?: Edit;
  /** The builds fail. */
  readonly fails?: boolean;
  /** For each step that the second build has to explain, in order, the clauses; `*` stands for anything. */
  readonly explains: Readonly<Record<string, readonly string[]>>;
}

export interface ExplainedChanges {
  readonly projects: Readonly<Record<string, NonNullable<Edit['files']>>>;
  readonly changes: readonly ExplainedChange[];
}

/** The table, with the words for what differs from run to run filled in. */
export function explainedChanges(words: Readonly<Record<string, string>>): ExplainedChanges {
  const text = readFileSync('testdata/explain/changes.json', 'utf8');
  return JSON.parse(
    text.replaceAll(/\$\{(\w+)\}/g, (whole, word: string) => words[word] ?? whole),
  ) as ExplainedChanges;
}

/** Makes the changes of files. */
export function applyEdit(folder: string, { files = {}, modes = {}, links = {} }: Edit): void {
  for (const [path, lines] of Object.entries(files)) {
    rmSync(join(folder, path), { recursive: true, force: true });
    if (lines === null) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), lines.map((line) => `${line}\n`).join(''));
  }
  for (const [path, mode] of Object.entries(modes)) chmodSync(join(folder, path), Number.parseInt(mode, 8));
  for (const [path, target] of Object.entries(links)) {
    rmSync(join(folder, path), { force: true });
    symlinkSync(target, join(folder, path));
  }
}

/** What the events of a build explain: the clauses of each step by its text, and the hints. */
export function explained(events: readonly BuildEvent[]): [string, string[]][] {
  const names = new Map(
    events.flatMap((event) => (event.type === 'step-start' ? [[event.step, event.name]] : [])),
  );
  return events.flatMap((event): [string, string[]][] => {
    if (event.type !== 'explanation') return [];
    const { step, explanation } = event;
    const hints = explanation.advice.map((sentence) => `hint: ${sentence}`);
    const clauses = [...renderExplanation(explanation, false), ...hints];
    return [[withoutPlace(names.get(step) ?? step), clauses.map(withoutPlace)]];
  });
}

/** Without `[stage 2/4]`. */
function withoutPlace(text: string): string {
  return text.replace(/\[[^\]]*\d+\/\d+\] /, '');
}
