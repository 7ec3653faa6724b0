/** A function of bash and of zsh: what the words so far name, by the tables of the script. */
export const readWords = `# Sets command and previous, from the words before the one at hand.
_tsbuild_read() {
  local one flags skip= family=
  command= previous=
  for one in "$@"; do
    previous=
    if [[ -n $skip ]]; then skip=; continue; fi
    if [[ $one == -* ]]; then
      flags=" $(_tsbuild_flags "\${command:-build}") "
      if [[ $one != *=* && $flags == *" $one="* ]]; then skip=1 previous=$one; fi
    elif [[ -n $family ]]; then command="$family $one" family=
    elif [[ -z $command && -n $(_tsbuild_family "$one") ]]; then family=$one
    elif [[ -z $command && " $_tsbuild_commands " == *" $one "* ]]; then command=$one
    elif [[ -z $command ]]; then command=build
    fi
  done
  [[ -n $family ]] && command="$family "
}
`;
