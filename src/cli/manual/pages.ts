import { version } from '../../core/version.ts';
import { type CommandDefinition, definitionOf, type FlagDefinition } from '../definitions.ts';
import { type Example, examples } from '../examples.ts';
import { grouped } from '../overview.ts';
import type { CommandSpec } from '../spec.ts';
import { bold, roff, section, slanted, term, verbatim } from './roff.ts';
import { exitCodes, variables } from './surroundings.ts';

/** A page of section 1: its file's name, and its text for man(7). */
export interface ManualPage {
  readonly file: string;
  readonly text: string;
}

/** A page for tsbuild itself and one for each command, as they are defined. */
export function manualPages(specs: readonly CommandSpec[]): readonly ManualPage[] {
  const pages = specs.map((spec) => commandPage(definitionOf(spec)));
  return [firstPage(specs), ...pages];
}

function firstPage(specs: readonly CommandSpec[]): ManualPage {
  const lists = grouped(specs).flatMap(({ heading, members }) => [
    `.SS ${heading}`,
    ...members.map(({ name, summary }) => term(bold(`tsbuild ${name}`), summary)),
  ]);
  return page('tsbuild', 'builds OCI images from Containerfiles', [
    section(
      'synopsis',
      `${bold('tsbuild')} [${bold('build')}] [${slanted('flags')}] ${slanted('CONTEXT')}`,
      '.br',
      `${bold('tsbuild')} ${slanted('COMMAND')} [${slanted('flags')}] ...`,
    ),
    section('description', roff(description)),
    section('commands', ...lists),
    section('examples', ...exampleLines('build')),
    section('exit status', ...exitCodes.map(([code, about]) => term(code, about))),
    section('environment', ...variables.map(([name, about]) => term(bold(name), about))),
    section('see also', `${bold('tsbuild-build')}(1)`),
  ]);
}

const description =
  'tsbuild builds OCI images from Containerfiles (Dockerfiles), without a daemon and without root. ' +
  'A command line without the name of a command builds. What it builds and fetches lives in a store of your own.';

function commandPage(definition: CommandDefinition): ManualPage {
  const { name, summary, usage, flags, notes, others } = definition;
  const title = `tsbuild-${name.replaceAll(' ', '-')}`;
  return page(title, summary, [
    section('synopsis', `${bold(`tsbuild ${name}`)} ${roff(usage)}`),
    ...(notes === '' ? [] : [section('description', ...notes.split('\n').map(roff))]),
    section('options', ...optionLines(flags)),
    ...(others.length === 0 ? [] : [section('names of other builders', roff(othersText(others)))]),
    ...(examples[name] === undefined ? [] : [section('examples', ...exampleLines(name))]),
    section('exit status', ...exitCodes.map(([code, about]) => term(code, about))),
    section('see also', `${bold('tsbuild')}(1)`),
  ]);
}

function page(title: string, summary: string, sections: readonly string[]): ManualPage {
  const head = `.TH ${title.toUpperCase()} 1 "" "tsbuild ${version()}" "tsbuild"`;
  const name = section('name', `${roff(title)} \\- ${roff(summary)}`);
  return { file: `${title}.1`, text: [head, hyphenless, name, ...sections].join('\n') };
}

/** A flag that is cut in two cannot be copied. */
const hyphenless = '.nh';

function optionLines(flags: readonly FlagDefinition[]): string[] {
  const headings = [...new Set(flags.map(({ group }) => group))];
  return headings.flatMap((heading) => [
    `.SS ${heading}`,
    ...flags.filter(({ group }) => group === heading).map(optionTerm),
  ]);
}

function optionTerm({ names, value, description, isRepeatable }: FlagDefinition): string {
  const written = names.map(bold).join(', ');
  const valueName = value === undefined ? '' : valueText(value.valueName, value.isOptional);
  return term(written + valueName, isRepeatable ? `${description}; may be repeated` : description);
}

function valueText(valueName: string, isOptional: boolean): string {
  return isOptional ? `[=${slanted(valueName)}]` : ` ${slanted(valueName)}`;
}

function othersText(names: readonly string[]): string {
  return `Flags of docker, podman, Buildah and kaniko that are understood, too: ${names.join(', ')}.`;
}

function exampleLines(name: string): string[] {
  return examples[name]!.flatMap(({ line, about }: Example, at) => [
    ...(at === 0 ? [] : ['.PP']),
    `${roff(about)}:`,
    verbatim([line]),
  ]);
}
