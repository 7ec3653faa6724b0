import { examplesText } from './examples.ts';
import type { CommandSpec } from './spec.ts';

/** The commands by what people want, each where they look for it first. */
export const groups: readonly (readonly [string, readonly string[]])[] = [
  ['Build', ['build', 'bake', 'compose build', 'debug']],
  [
    'Images',
    ['run', 'images', 'inspect', 'history', 'layers', 'diff', 'mount', 'tag', 'rmi', 'save', 'load'],
  ],
  ['Registries', ['push', 'pull', 'login', 'logout', 'manifest create', 'manifest inspect', 'manifest push']],
  ['Past builds', ['builds', 'logs', 'explain', 'report']],
  ['Store', ['du', 'prune', 'cache ls', 'cache export', 'cache import']],
  ['This machine', ['doctor', 'completion']],
];

/** What `tsbuild --help` says. */
export function overview(specs: readonly CommandSpec[]): string {
  return `Usage: tsbuild [build] [flags] CONTEXT
       tsbuild COMMAND [flags] ...

Builds OCI images from Containerfiles: no daemon, no root.
${grouped(specs).map(groupText).join('')}
tsbuild COMMAND --help lists the flags of a command, and shows examples.
${examplesText('build')}`;
}

/** What `tsbuild cache --help` says: the commands of a first word. */
export function familyText(word: string, specs: readonly CommandSpec[]): string {
  const members = specs.filter(({ name }) => name.startsWith(`${word} `));
  const intro = `Usage: tsbuild ${word} COMMAND [flags] ...\n`;
  return `${intro}${groupText({ heading: 'Commands', members })}`;
}

export interface Group {
  readonly heading: string;
  readonly members: readonly CommandSpec[];
}

/** Commands that no group names come last. */
export function grouped(specs: readonly CommandSpec[]): readonly Group[] {
  const named = groups.map(([heading, names]) => ({
    heading,
    members: names.flatMap((name) => specs.find((spec) => spec.name === name) ?? []),
  }));
  const others = specs.filter(({ name }) => !groups.some(([, names]) => names.includes(name)));
  return [...named, { heading: 'Others', members: others }].filter(({ members }) => members.length > 0);
}

function groupText({ heading, members }: Group): string {
  const lines = members.map(({ name, summary }) => `  ${name.padEnd(18)}${summary}\n`);
  return `\n${heading}:\n${lines.join('')}`;
}
