# bash completion for share_data(1). The options are read from --help, so they are always the program's own.
_share_data() {
  local word=${COMP_WORDS[COMP_CWORD]}
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    --color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$word") ;;
    --for | --max | --key) COMPREPLY=() ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --help | grep -oE -- '--[a-z]+' | sort -u)" -- "$word") ;;
  esac
}
complete -F _share_data share_data
