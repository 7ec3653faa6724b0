import { type CommandDefinition, definitionOf, type FlagDefinition } from '../../src/cli/definitions.ts';
import { examples } from '../../src/cli/examples.ts';
import { grouped } from '../../src/cli/overview.ts';
import type { CommandSpec } from '../../src/cli/spec.ts';

/** Every command and flag as docs/reference.md tells of them. */
export function referenceText(specs: readonly CommandSpec[]): string {
  return grouped(specs)
    .flatMap(({ heading, members }) => [
      `## ${heading}`,
      ...members.map((spec) => commandText(definitionOf(spec))),
    ])
    .join('\n\n');
}

function commandText({ name, summary, usage, flags, notes }: CommandDefinition): string {
  const shown = examples[name] ?? [];
  return [
    `### tsbuild ${name}`,
    sentence(summary),
    `\`tsbuild ${name} ${usage}\``,
    ...(notes === '' ? [] : [notes]),
    ['| flag | |', '|---|---|', ...flags.map(flagRow)].join('\n'),
    ...(shown.length === 0 ? [] : [shown.map(({ line, about }) => `- \`${line}\`: ${about}`).join('\n')]),
  ].join('\n\n');
}

function flagRow({ names, value, description, isRepeatable }: FlagDefinition): string {
  const valueName =
    value === undefined ? '' : value.isOptional ? `[=${value.valueName}]` : ` ${value.valueName}`;
  const repeated = isRepeatable ? '; may be repeated' : '';
  return `| \`${cell(names.join(', ') + valueName)}\` | ${cell(description + repeated)} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}

function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
}
