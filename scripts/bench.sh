#!/usr/bin/env bash
# Measures share_data against the least that the system could take. See --help.
set -euo pipefail

first_marker='<!-- benchmarks: written by scripts/bench.sh --write -->'
last_marker='<!-- end of benchmarks -->'
first_wine_marker='<!-- benchmarks: written by scripts/bench.sh --wine --write -->'
last_wine_marker='<!-- end of benchmarks under Wine -->'

usage() {
  cat <<END
Measures share_data against the least that the system could take for the same, in the same run, and prints a table.

Examples:
  scripts/bench.sh                  all rows, about three minutes
  scripts/bench.sh --filter idle    only rows with this in their name
  scripts/bench.sh --wine           the Windows program, under Wine, about five minutes

Usage: bench.sh [--wine] [--quick] [--filter NAME] [--write]
  --wine         the Windows program, under Wine, and how often it calls the system; it has no --filter
  --quick        few copies and rounds: shows that it works; the times mean nothing
  --filter NAME  only these rows: first-line, one-started, one-killed, mass-start, memory, idle
  --write        also put the table into docs/cost.md, three of its rows into README.md, and both into their translations;
                 with --wine, into docs/cost.md and its translation
  -h, --help     this text

Columns:
  limit          a process that reads the same options and prints one line; for a start, it also wakes N others by one
                 futex; for a kill, the kernel marks a robust futex, and the one whom that wakes wakes N others
  ratio          share_data / limit, of the medians
  pidfd          the same as the limit of a kill, but by a pidfd, and share_data's ratio to it
  reconstructed  the article's demo, written again: the count is a text, polled every 10 ms

Columns with --wine:
  limit          a process that reads no options and prints one line; for a start, it also sets one event that N others
                 wait for; for a kill, one process waits for the victim's handle and sets that event
  N = 2, ...     requests to wineserver, which is Wine's kernel, by the main threads of the copies

The ratios hold on any machine that has nothing else to do; the times are this machine's.
END
}

main() {
  parse "$@"
  if [[ $under_wine ]]; then measure_under_wine; else measure; fi
  printf '%s\n' "$table"
  if [[ $write ]]; then write_table; fi
}

measure() {
  install_missing "to build and run the benchmarks" "${program_packages[@]}"
  build_preset bench all || die 1 "the build failed; see build/bench.log"
  table=$(build/bench/linux/bench/share_data_bench "${options[@]}")
}

# Twice, because wineserver is slower while it writes down its requests.
measure_under_wine() {
  local bench=build/bench-mingw/windows/bench/share_data_bench.exe trace=build/calls.trace calls server
  install_missing "to build and run the benchmarks" "${windows_packages[@]}"
  build_preset bench-mingw all || die 1 "the build failed; see build/bench-mingw.log"
  prepare_wine
  server=$(PATH=$PATH:/usr/lib/wine:/usr/lib/x86_64-linux-gnu/wine command -v wineserver64 wineserver | head -n 1)
  table=$("$wine" "$bench" "${options[@]}" </dev/null)
  calls=$(windows/bench/traced_wine.sh "$wine" "$server" "$WINEPREFIX-traced" "$trace" "$bench" "${options[@]}" \
    --calls "$trace" </dev/null)
  rm "$trace"
  table+=$'\n\n'$calls
}

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh

options=() write='' under_wine=''

parse() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --quick) options+=(--quick) ;;
      --write) write=yes ;;
      --wine) under_wine=yes ;;
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
  [[ ! $write || ${#options[@]} -eq 0 ]] || die 2 "--write goes with neither --quick nor --filter; see --help"
  [[ ! $under_wine || ${options[*]} != *--filter* ]] || die 2 "--wine has no --filter; see --help"
}

write_table() {
  local readme first=$first_marker last=$last_marker
  if [[ $under_wine ]]; then first=$first_wine_marker last=$last_wine_marker; fi
  write_between_markers docs/cost.md "$first" "$last" "$table"
  write_between_markers docs/cost.zh-CN.md "$first" "$last" "$(in_chinese <<<"$table")"
  if [[ $under_wine ]]; then return; fi
  for readme in README*.md; do write_between_markers "$readme" "$first" "$last" "$(three_rows "$readme")"; done
}

# three_rows PAGE: the table that is in PAGE between the markers, with new figures: share_data, its limit, the article's
# way. Its headings and the first cells of its rows, in the language of the page, stay as they are.
three_rows() {
  local page=$1 table=$table old row figures
  # shellcheck disable=SC2016  # the quotes are Markdown's
  local rows=('`kill -9` of one → last of 2 lines' 'one is started → last of 2 lines' '256 idle copies')
  if [[ $page == *.zh-CN.md ]]; then table=$(in_chinese_figures <<<"$table"); fi
  mapfile -t old < <(awk -v first="$first_marker" -v last="$last_marker" \
    '$0 == first { inside = 1 } $0 == last { inside = 0 } inside && /^[|]/' "$page")
  ((${#old[@]} == 5)) || die 1 "$page: there are no three rows between the markers"
  printf '%s\n' "${old[@]:0:2}"
  for row in 0 1 2; do
    figures=$(grep --fixed-strings "| ${rows[row]}" <<<"$table") || die 1 "the table has no row '${rows[row]}'"
    awk -F ' *[|] *' -v label="${old[row + 2]%%' | '*}" '{ print label " | " $3 " | " $4 " | " $8 " |" }' <<<"$figures"
  done
}

# Translates what the table says beside its figures, and what the figures themselves say.
# shellcheck disable=SC2016  # the quotes are Markdown's
in_chinese() {
  in_chinese_figures | sed -E '
    s/limit \| ratio/下限 | 比值/; s/\| goal \|/| 目标 |/; s/the article.s way, reconstructed/文章的做法（按原文重写）/
    s/^([0-9]+) cores, (under )?/\1 核，/
    s/`kill -9` of one → last of ([0-9]+) lines/`kill -9` 一份 → 另外 \1 份都已显示/
    s/one is started → its first line/启动一份 → 它的第一行/
    s/one is started → last of ([0-9]+) lines/启动一份 → 另外 \1 份都已显示/
    s/([0-9]+) started at once → all show all/同时启动 \1 份 → 全部显示正确/
    s/growth of that time from ([0-9]+) to ([0-9]+)/从 \1 份到 \2 份，时间怎样增长/
    s/([0-9]+) idle copies for /\1 份空闲 /; s/private memory of one/一份的私有内存/
    s/one is terminated → last of ([0-9]+) lines/终止一份 → 另外 \1 份都已显示/; s/^\| start → first line/| 启动 → 第一行/
    s/calls of the system/系统调用次数/; s/one joins: /一份加入：/; s/one leaves: /一份离开：/; s/one is terminated: /一份被终止：/
    s/to tell everybody/通知大家/; s/whoever tells, until it sleeps/通知者，直到休眠/; s/all copies together/各份合计/
    s/ \(exponent\)/（指数）/; s/≤ ([0-9]+) wake-ups/≤ \1 次醒来/; s/: met/：达到/; s/: \*\*not met\*\*/：**未达到**/; s/: ratio /：比值 /'
}

in_chinese_figures() {
  sed -E '
    s/([0-9]+) wake-ups, /\1 次醒来，CPU /g; s/ CPU( \||$)/\1/g; s/like N/如 N/g; s/, without options/，不读选项/
    s/still wrong after 0.5 s in ([0-9]+) of ([0-9]+) kills/杀 \2 次，\1 次过了 0.5 s 仍然不对/
    s/right in ([0-9]+) of ([0-9]+) runs/\2 次中 \1 次正确/; s/, after /，用时 /; s/over ([0-9])/超过 \1/g'
}

main "$@"
