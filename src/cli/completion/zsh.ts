import type { CommandDefinition, FlagDefinition } from '../definitions.ts';
import { readWords } from './read-words.ts';
import { shellTable } from './table.ts';

/** A function for a folder of \`$fpath\`, or for `eval`. */
export function zshScript(all: readonly CommandDefinition[]): string {
  return `#compdef tsbuild
# zsh completion for tsbuild: made by \`tsbuild completion zsh\`
${shellTable(all)}
_tsbuild_described() {
  case $1 in
${all.map(describedCase).join('\n')}
  esac
}

_tsbuild_commands_described() {
  print -rl -- ${all
    .filter(({ name }) => !name.includes(' '))
    .map(({ name, summary }) => quoted(`${name}:${summary}`))
    .join(' \\\n    ')}
}

${program}`;
}

function describedCase({ name, flags }: CommandDefinition): string {
  const lines = flags.flatMap(({ names, description }: FlagDefinition) =>
    names.map((flag) => quoted(`${flag}:${description}`)),
  );
  return `    '${name}') print -rl -- ${lines.join(' \\\n      ')} ;;`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const program = `_tsbuild_offer() {
  case $1 in
    @file) _files ;;
    @folder) _files -/ ;;
    @*) local -a names; names=(\${(f)"$(tsbuild completion \${1#@} 2>/dev/null)"}); compadd -a names ;;
    ?*) compadd -- \${(s:,:)1} ;;
  esac
}

${readWords}
_tsbuild() {
  local command previous token flag word=$PREFIX
  local -a described
  _tsbuild_read "\${(@)words[2,CURRENT-1]}"
  if [[ $command == *' ' ]]; then
    compadd -- \${=$(_tsbuild_family "\${command% }")}
    return
  fi
  flag=$previous
  if [[ $word == --*=* ]]; then
    flag=\${word%%=*}
    compset -P '*='
  fi
  if [[ -n $flag ]]; then
    for token in \${=$(_tsbuild_flags "\${command:-build}")}; do
      if [[ $token == "$flag="* || $token == "$flag~"* ]]; then
        _tsbuild_offer "\${token#"$flag"?}"
        return
      fi
    done
    return
  fi
  if [[ $word == -* ]]; then
    described=(\${(f)"$(_tsbuild_described "\${command:-build}")"})
    _describe -o flag described
    return
  fi
  if [[ -z $command || $command == help ]]; then
    described=(\${(f)"$(_tsbuild_commands_described)"})
    _describe command described
    compadd -- \${=_tsbuild_commands}
  fi
  [[ $command == help ]] || _tsbuild_offer "$(_tsbuild_words "\${command:-build}")"
}

if [[ $funcstack[1] == _tsbuild ]]; then _tsbuild "$@"; else compdef _tsbuild tsbuild; fi
`;
