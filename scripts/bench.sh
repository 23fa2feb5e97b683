#!/usr/bin/env bash
# Measures share_data against the least that the system could take. See --help.
set -euo pipefail

bench_packages=(libbenchmark-dev)
first_marker='<!-- benchmarks: written by scripts/bench.sh --write -->'
last_marker='<!-- end of benchmarks -->'

usage() {
  cat <<END
Measures share_data against the least that the system could take for the same, in the same run, and prints a table.

Examples:
  scripts/bench.sh                  all rows, about four minutes
  scripts/bench.sh --filter idle    only rows with this in their name
  scripts/bench.sh --micro          what a single step costs (Google Benchmark)

Usage: bench.sh [--quick] [--filter NAME] [--write] [--micro]
  --quick        few copies and rounds: shows that it works; the times mean nothing
  --filter NAME  only these rows: one-more, one-killed, mass-start, idle, first-line, memory
  --write        put the table into README.md and its translation, too
  --micro        the single steps instead of the table
  -h, --help     this text

The ratios hold on any machine that has nothing else to do; the times are this machine's.
END
}

main() {
  parse "$@"
  install_missing "to build and run the benchmarks" "${program_packages[@]}" "${bench_packages[@]}"
  build_preset bench || die 1 "the build failed; see build/bench.log"
  if [[ $micro ]]; then exec build/bench/linux/bench/share_data_micro_bench; fi
  table=$(build/bench/linux/bench/share_data_bench "${options[@]}")
  printf '%s\n' "$table"
  if [[ $write ]]; then write_table; fi
}

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh

options=() write='' micro=''

parse() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --quick) options+=(--quick) ;;
      --write) write=yes ;;
      --micro) micro=yes ;;
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
  [[ ! $write || (${#options[@]} -eq 0 && ! $micro) ]] || die 2 "--write goes with no other option; see --help"
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
