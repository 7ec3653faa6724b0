import type { CommandDefinition } from '../definitions.ts';
import { readWords } from './read-words.ts';
import { shellTable } from './table.ts';

/** For bash 4 and newer; needs nothing else. */
export function bashScript(all: readonly CommandDefinition[]): string {
  return `# bash completion for tsbuild: made by \`tsbuild completion bash\`
${shellTable(all)}
${program}`;
}

/**
 * The line is read as it stands, and not as bash splits it: names hold colons, flags equals signs. What is offered begins with
 * the word so far; of it, bash replaces what stands behind the last of those.
 */
const program = `# Offers what begins with the word so far: _tsbuild_offer KIND PREFIX
_tsbuild_offer() {
  local kind=$1 prefix=$2 value=\${word#"$2"} found=() one
  case $kind in
    @file) compopt -o filenames; mapfile -t found < <(compgen -f -- "$value") ;;
    @folder) compopt -o filenames; mapfile -t found < <(compgen -d -- "$value") ;;
    @*) mapfile -t found < <(compgen -W "$(tsbuild completion "\${kind#@}" 2>/dev/null)" -- "$value") ;;
    ?*) mapfile -t found < <(compgen -W "\${kind//,/ }" -- "$value") ;;
  esac
  for one in "\${found[@]}"; do COMPREPLY+=("\${prefix}\${one}"); done
}

${readWords}
_tsbuild() {
  local line=\${COMP_LINE:0:COMP_POINT} word words command previous token flag cut
  word=\${line##*[[:blank:]]}
  read -ra words <<<"\${line%"$word"}"
  _tsbuild_read "\${words[@]:1}"
  COMPREPLY=()
  if [[ $command == *' ' ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_tsbuild_family "\${command% }")" -- "$word")
    return
  fi
  flag=$previous
  [[ $word == --*=* ]] && flag=\${word%%=*}
  for token in $(_tsbuild_flags "\${command:-build}"); do
    if [[ -n $flag && ( $token == "$flag="* || $token == "$flag~"* ) ]]; then
      if [[ $word == --*=* ]]; then _tsbuild_offer "\${token#"$flag"?}" "$flag="
      else _tsbuild_offer "\${token#"$flag"?}" ''; fi
      break
    fi
  done
  if [[ -z $flag && $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_tsbuild_flags "\${command:-build}" | sed 's/[=~][^ ]*//g')" -- "$word")
  elif [[ -z $flag ]]; then
    [[ -z $command || $command == help ]] &&
      mapfile -t COMPREPLY < <(compgen -W "$_tsbuild_commands" -- "$word")
    [[ $command == help ]] || _tsbuild_offer "$(_tsbuild_words "\${command:-build}")" ''
  fi
  cut=$word
  [[ $COMP_WORDBREAKS == *:* ]] && cut=\${cut##*:}
  [[ $COMP_WORDBREAKS == *=* ]] && cut=\${cut##*=}
  cut=\${word%"$cut"}
  COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
}

complete -F _tsbuild tsbuild
`;
