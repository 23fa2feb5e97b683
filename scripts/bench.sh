#!/usr/bin/env bash
# Measures what share_data costs: in turns with a program that counts nothing, a pidfd and the article's way. Prints the
# medians, and the table that docs/cost.md explains. It takes some minutes; nothing else should run on the machine.
#
# Usage: bench.sh [--write]
#   --write  also put the figures into docs/cost.md, README.md and their translations, and draw docs/cost*.svg
set -euo pipefail

main() {
  [[ $* =~ ^(--write)?$ ]] || die 2 "unknown options $*; its first lines say what there is"
  install_missing "to build and run the benchmarks" "${program_needs[@]}" ${1:+gnuplot}
  build_preset release share_data_bench SHARE_DATA_BENCHMARKS=ON
  ulimit -Sn hard  # each process takes one descriptor of the harness
  build/release/linux/bench/share_data_bench | tee "$medians"
  filled docs/cost.md "${rows[@]}" | sed -n '/^<!-- benchmarks/,/^<!-- end/ p'
  if [[ ${1-} ]]; then write; fi
}

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh

medians=build/bench.medians
rows=(first-line-1 started-{2,64,1000} killed-{2,64,1000} at-once-1000 idle-256)

write() {
  local page text
  for page in docs/cost{,.zh-CN}.md; do text=$(filled "$page" "${rows[@]}") && echo "$text" >"$page"; done
  for page in README{,.zh-CN}.md; do text=$(filled "$page" killed-2 started-2 idle-256) && echo "$text" >"$page"; done
  draw docs/cost.svg 'start → N others show it' 'kill -9 → N others show it' 'baseline program' "the article's way"
  draw docs/cost.zh-CN.svg '启动一个 → 另外 N 个都已显示' 'kill -9 一个 → 另外 N 个都已显示' '对照程序' '文章的做法'
}

# filled PAGE ROW...: the page, with new figures in these rows of the table between the markers. Headings and labels
# stay as they are. In a README there are neither ratios nor a column for a pidfd.
filled() {
  local page=$1 wrong='still wrong after %s s in %d of %d rounds'
  if [[ $page == *.zh-CN.md ]]; then wrong='%s s 后仍然不对（%d/%d 轮）'; fi
  awk -v page="$page" -v rows="${*:2}" -v wrong="$wrong" -v cores="$(nproc)" -v kernel="$(uname -r | cut -d. -f-2)" '
    function time(us) {
      if (us < 995) return sprintf("%.0f µs", us)
      if (us < 995000) return sprintf(us < 9950 ? "%.1f ms" : "%.0f ms", us / 1000)
      return sprintf("%.2f s", us / 1000000)
    }
    function beside(us) { return us == "-" ? "" : time(us) (readme ? "" : sprintf(" (%.2f)", $3 / us)) }
    function article(us, failed, of) {
      return (us == "-" ? "" : time(us)) (us != "-" && failed ? "<br>" : "") (failed ? sprintf(wrong, $1 == "killed" ? "0.5" : "3", failed, of) : "")
    }
    BEGIN { split(rows, row, " "); readme = page ~ /README/ }
    NR == FNR {
      split($7, count, "/")
      pidfd = readme ? "" : beside($5) " | "
      figures[$1 "-" $2] = time($3) " | " beside($4) " | " pidfd article($6, count[1], count[2])
      if ($1 == "idle") figures[$1 "-" $2] = $3 " | " $4 " | " pidfd $6
      next
    }
    /^<!-- benchmarks/ { inside = 1 }
    /^<!-- end of benchmarks/ { inside = 0 }
    inside && /Linux [0-9]/ { sub(/[0-9]+/, cores); sub(/Linux [0-9.]+/, "Linux " kernel) }
    inside && /^[|]/ && ++line > 2 { sub(/ [|].*/, " | " figures[row[line - 2]] " |") }
    { print }' "$medians" "$page"
}

# draw FILE WORD...: the plot, also for those who read light on dark.
draw() {
  local dark='[fill="#ffffff"] { fill: #0d1117 } [fill=black] { fill: #e6edf3 }'
  dark+=' [color=black] { color: #e6edf3 } [stroke=black] { stroke: #e6edf3 }'
  gnuplot -c linux/bench/plot.gnuplot "$medians" "${@:2}" |
    sed "s|^<title>.*|<style>@media (prefers-color-scheme: dark) { $dark }</style>|" >"$1"
}

main "$@"
