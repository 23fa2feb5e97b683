#!/usr/bin/env bash
# Measures share_data against the least that the system could take. See --help.
set -euo pipefail

first_marker='<!-- benchmarks: written by scripts/bench.sh --write -->'
last_marker='<!-- end of benchmarks -->'

usage() {
  cat <<END
Measures share_data against the least that the system could take for the same, in the same run, and prints a table.

Examples:
  scripts/bench.sh                  all rows, about three minutes
  scripts/bench.sh --filter idle    only rows with this in their name

Usage: bench.sh [--quick] [--filter NAME] [--write]
  --quick        few copies and rounds: shows that it works; the times mean nothing
  --filter NAME  only these rows: first-line, one-started, one-killed, mass-start, memory, idle
  --write        also put the table into README.md and its translation
  -h, --help     this text

Columns:
  limit          a process that reads the same options and prints one line; for a start, it also wakes N others by one
                 futex; for a kill, the kernel marks a robust futex, and the one whom that wakes wakes N others
  ratio          share_data / limit, of the medians
  pidfd          the same as the limit of a kill, but by a pidfd, and share_data's ratio to it
  reconstructed  the article's demo, written again: the count is a text, polled every 10 ms

The ratios hold on any machine that has nothing else to do; the times are this machine's.
END
}

main() {
  parse "$@"
  install_missing "to build and run the benchmarks" "${program_packages[@]}"
  build_preset bench || die 1 "the build failed; see build/bench.log"
  table=$(build/bench/linux/bench/share_data_bench "${options[@]}")
  printf '%s\n' "$table"
  if [[ $write ]]; then write_table; fi
}

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh

options=() write=''

parse() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --quick) options+=(--quick) ;;
      --write) write=yes ;;
      --filter)
        (($# > 1)) || die 2 "--filter needs a name; see --help"
        options+=(--filter "$2")
        shift
        ;;
      *) die 2 "unknown option $1; see --help" ;;
    esac
    shift
  done
  # Half a table, or one that means nothing, is not for people to read.
  [[ ! $write || ${#options[@]} -eq 0 ]] || die 2 "--write goes with no other option; see --help"
}

# Replaces what is between the two markers in each README.
write_table() {
  local readme text
  for readme in README*.md; do
    text=$(<"$readme")
    [[ $text == *"$first_marker"*"$last_marker"* ]] || die 1 "$readme lacks the lines '$first_marker' and '$last_marker'"
    printf '%s\n' "${text%%"$first_marker"*}$first_marker"$'\n\n'"$table"$'\n\n'"$last_marker${text#*"$last_marker"}" \
      >"$readme"
  done
}

main "$@"
