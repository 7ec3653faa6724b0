import type { CommandDefinition, FlagDefinition } from '../definitions.ts';
import { families, firstWords, type Kind, kindOfValue, kindOfWords } from './kinds.ts';

/** Declarations, and one function that tells which command stands on the line. */
export function fishScript(all: readonly CommandDefinition[]): string {
  return `# fish completion for tsbuild: made by \`tsbuild completion fish\`
${whichCommand(all)}
complete -c tsbuild -f
${commandLines(all).join('\n')}
${all.flatMap(flagLines).join('\n')}
${all.map(wordLine).join('\n')}
`;
}

/** Prints the command of the line so far; nothing where none stands there, and a family's word alone while it lacks its second. */
function whichCommand(all: readonly CommandDefinition[]): string {
  const valued = all.flatMap(({ flags }) => flags.filter(takesNext).flatMap(({ names }) => names));
  return `function __tsbuild_command
  set -l words (commandline -opc)
  set -l skip
  set -l family
  for word in $words[2..]
    if test -n "$skip"
      set skip
    else if string match -q -- '-*' $word
      contains -- $word ${[...new Set(valued)].join(' ')}; and set skip yes
    else if test -n "$family"
      echo "$family $word"
      return
    else if contains -- $word ${[...families(all).keys()].join(' ')}
      set family $word
    else if contains -- $word ${firstWords(all).join(' ')} help
      echo $word
      return
    else
      echo build
      return
    end
  end
  echo $family
end

function __tsbuild_in
  contains -- (__tsbuild_command) $argv
end

function __tsbuild_bare
  test -z (__tsbuild_command)
end
`;
}

function takesNext({ value }: FlagDefinition): boolean {
  return value !== undefined && !value.isOptional;
}

function commandLines(all: readonly CommandDefinition[]): string[] {
  const bare = all.filter(({ name }) => !name.includes(' '));
  const ofFamilies = [...families(all)].flatMap(([family, members]) => [
    line({ when: '__tsbuild_bare', words: [family], about: `commands: ${members.join(', ')}` }),
    ...members.map((member) => {
      const about = all.find(({ name }) => name === `${family} ${member}`)!.summary;
      return line({ when: `__tsbuild_in ${family}`, words: [member], about });
    }),
  ]);
  return [
    ...bare.map(({ name, summary }) => line({ when: '__tsbuild_bare', words: [name], about: summary })),
    line({ when: '__tsbuild_bare', words: ['help'], about: 'show the help of a command' }),
    line({ when: '__tsbuild_in help', words: firstWords(all), about: '' }),
    ...ofFamilies,
  ];
}

function line({
  when,
  words,
  about,
}: {
  readonly when: string;
  readonly words: readonly string[];
  readonly about: string;
}): string {
  const described = about === '' ? '' : ` -d ${quoted(about)}`;
  return `complete -c tsbuild -n ${quoted(when)} -a ${quoted(words.join(' '))}${described}`;
}

/** The flags of \`build\` are also those of a line without a command. */
function flagLines({ name, flags }: CommandDefinition): string[] {
  const when =
    name === 'build' ? "'__tsbuild_bare; or __tsbuild_in build'" : quoted(`__tsbuild_in ${quotedName(name)}`);
  return flags.map(({ names, value, description }) => {
    const words = names.map((flag) =>
      flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
    );
    const takes = value === undefined ? '' : ` ${valueWords(kindOfValue(value), value.isOptional)}`;
    return `complete -c tsbuild -n ${when} ${words.join(' ')}${takes} -d ${quoted(description)}`;
  });
}

function wordLine(definition: CommandDefinition): string {
  const { name } = definition;
  const when =
    name === 'build' ? "'__tsbuild_bare; or __tsbuild_in build'" : quoted(`__tsbuild_in ${quotedName(name)}`);
  return `complete -c tsbuild -n ${when} ${argumentsOf(kindOfWords(definition))}`.trimEnd();
}

function valueWords(kind: Kind, isOptional: boolean): string {
  const taken = isOptional ? '' : '-x ';
  return `${taken}${argumentsOf(kind)}`.trim();
}

function argumentsOf(kind: Kind): string {
  if (kind.kind === 'any') return '';
  if (kind.kind === 'words') return `-a ${quoted(kind.words.join(' '))}`;
  if (kind.kind === 'file') return "-a '(__fish_complete_path (commandline -ct))'";
  if (kind.kind === 'folder') return "-a '(__fish_complete_directories (commandline -ct))'";
  return `-a '(tsbuild completion ${kind.kind} 2>/dev/null)'`;
}

function quotedName(name: string): string {
  return name.includes(' ') ? `"${name}"` : name;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
