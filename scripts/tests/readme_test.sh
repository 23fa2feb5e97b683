#!/usr/bin/env bash
# Compares the README and the pages in docs/ with their translations and with what they describe. Usage: readme_test.sh
# CASE, where CASE is one of the functions below that begin with test_, without that.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$(readlink -f "$0")")/../.."

english=(README.md docs/*[!N].md)  # the translations are called *.zh-CN.md
pages=(README*.md docs/*.md)

failed=0
wrong() {
  failed=1
  printf '%s\n' "$*" >&2
}

# same WHAT LIST LIST: wrong if the two differ.
same() {
  diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") >&2 || wrong "$1: < and > differ"
}

# What stands in backquotes, one a line.
# shellcheck disable=SC2016
code_spans() { grep --only-matching '`[^`]*`' | tr --delete '`'; }

# rows PATTERN FILE: the rows of the table whose head matches.
rows() { sed --quiet "/^| $1/,/^\$/p" "$2" | tail --lines +3 | sed '/^$/d'; }

# An excerpt is in its file, to the letter, and short enough to be read.
test_excerpts() {
  local page file excerpt inside line checked=0
  for page in "${pages[@]}"; do
    file='' excerpt='' inside=''
    while IFS= read -r line; do
      if [[ $line =~ ^'<!-- excerpt: '(.*)' -->'$ ]]; then
        file=${BASH_REMATCH[1]} excerpt=''
      elif [[ $file && ! $inside && $line == '```'* ]]; then
        inside=yes
      elif [[ $inside && $line == '```' ]]; then
        excerpt=${excerpt%$'\n'} checked=$((checked + 1))
        [[ $'\n'$(<"$file")$'\n' == *$'\n'"$excerpt"$'\n'* ]] || wrong "$file does not have:"$'\n'"$excerpt"
        (($(wc -l <<<"$excerpt") <= 10)) || wrong "more than ten lines of $file:"$'\n'"$excerpt"
        file='' inside=''
      elif [[ $inside ]]; then
        excerpt+=$line$'\n'
      fi
    done <"$page"
  done
  ((checked > 0)) || wrong "there is no excerpt"
}

# Each experiment is done by experiments_test.sh.
test_experiments() {
  same "experiments, and their tests" \
    "$(sed -nE 's/^<!-- experiment: (.*) -->$/\1/p' "${english[@]}" | sort)" \
    "$(sed -nE 's/^(test|windows)_([a-z0-9_]+)\(\).*/\2/p' scripts/tests/experiments_test.sh | sort)"
}

# The table of options has those that the programs have.
test_options() {
  same "options in README.md, and those of the programs" \
    "$(rows 'option ' README.md | cut --delimiter='|' --fields=2 | grep --only-matching -e '--[a-z]*' | sort --unique)" \
    "$({ grep --no-filename --only-matching -e '"--[a-z]*"' {linux/,windows/,common/common_}options.* | tr --delete '"'; echo --help; } |
      sort --unique)"
}

tests_in_the_sources() {
  grep -rhoE '^TEST(_F|_P)?\(\w+, *\w+' --include='*_test.cpp' . | sed -E 's/.*\((\w+), */\1./'
  sed -nE 's/^add_exploration\(([a-z_]+) .*/model.\1/p' linux/model/CMakeLists.txt
}

# The tests that the table of faults names exist.
test_faults() {
  local name pattern found names checked=0
  mapfile -t names < <(tests_in_the_sources)
  while read -r pattern; do
    found='' checked=$((checked + 1))
    # shellcheck disable=SC2053  # it is a pattern
    for name in "${names[@]}"; do [[ $name == $pattern ]] && found=yes; done
    [[ $found ]] || wrong "there is no test $pattern"
  done < <(rows 'fault ' docs/faults.md | awk -F '|' '{ print $(NF - 1) }' | code_spans)
  ((checked > 0)) || wrong "there is no table of faults"
}

# anchors PAGE: what a link can lead to in it, as GitHub names it.
anchors() { sed -nE 's/^#+ //p' "$1" | tr '[:upper:] ' '[:lower:]-' | tr --delete '`.,:()'; }

# What a link leads to is there.
test_links() {
  local page link target anchor
  for page in "${pages[@]}"; do
    while read -r link; do
      if [[ $link == http* ]]; then continue; fi
      target=$(dirname "$page")/${link%%#*} anchor=${link#*#}
      if [[ $link == '#'* ]]; then target=$page; fi
      if [[ ! -e $target ]]; then
        wrong "$page: there is no $link"
      elif [[ $link == *'#'* ]]; then
        anchors "$target" | grep --quiet --line-regexp --fixed-strings -e "$anchor" || wrong "$page: no heading for $link"
      fi
    done < <(grep --only-matching ']([^()]*)' "$page" | tr --delete ']()')
  done
}

# What both languages have in common: the headings' levels, the code, what stands between backquotes in a table, how
# many items a list has. Of the diagrams the arrows, of the picture of the memory nothing, of what bench.sh writes
# nothing.
skeleton() {
  local line language='' inside='' skip=''
  while IFS= read -r line; do
    if [[ $line == '```'* ]]; then
      if [[ $inside ]]; then inside='' language=''; else inside=yes language=${line#'```'}; fi
      printf '%s\n' "$line"
    elif [[ $language == mermaid ]]; then
      [[ $line == *Note* ]] || sed 's/ as .*//; s/:.*//' <<<"$line"
    elif [[ $language == text ]]; then
      :
    elif [[ $inside ]]; then
      printf '%s\n' "$line"
    elif [[ $line == '<!-- '* ]]; then
      printf '%s\n' "$line"
      case $line in
        *'benchmarks: written'*) skip=yes ;;
        *'end of benchmarks'*) skip='' ;;
      esac
    elif [[ $skip ]]; then
      :
    elif [[ $line =~ ^#+ ]]; then
      echo "${BASH_REMATCH[0]}"
    elif [[ $line == '|'* ]]; then
      echo "a row of $(tr --delete --complement '|' <<<"$line" | wc --bytes): $(code_spans <<<"$line" | sort | paste -s)"
    elif [[ $line =~ ^(-|[0-9]+\.)' ' ]]; then
      echo "${BASH_REMATCH[0]}"
    fi
  done <"$1"
}

# Without the headings, which have the words of their language, and without the links to the other language.
links() {
  grep --only-matching ']([^()]*)' "$1" | sed 's/#.*/)/; s/[.]zh-CN//' |
    grep --invert-match --line-regexp -e ']()' -e "]($(basename "${1/.zh-CN/}"))" | sort
}

# Every page but those for developers is there in both languages.
test_translation() {
  local page translation
  for page in "${english[@]}"; do
    translation=${page%.md}.zh-CN.md
    if [[ ! -e $translation ]]; then
      grep --quiet '^For developers' "$page" || wrong "there is no $translation"
      continue
    fi
    same "$page and $translation" "$(skeleton "$page")" "$(skeleton "$translation")"
    same "the links of $page and $translation" "$(links "$page")" "$(links "$translation")"
  done
}

# A line is at most 120 columns wide, of which a Chinese character takes two; rows of tables and addresses cannot break.
test_lines_are_short() {
  local page line
  for page in "${pages[@]}"; do
    while IFS= read -r line; do
      (($(wc --max-line-length <<<"$line") <= 120)) || wrong "$page: wider than 120: $line"
    done < <(grep --invert-match --regexp '^|' --regexp '](https:' "$page" | grep --extended-regexp '.{60}')
  done
}

test_the_readme_is_short() {
  local readme
  for readme in README*.md; do
    (($(wc --lines <"$readme") <= 250)) || wrong "$readme: more than 250 lines"
  done
}

# The one command that builds the program, without optimisation, which is quicker.
test_without_cmake() {
  local command program
  program=$(mktemp)
  command=$(grep --after-context=1 '^g++ ' docs/building.md)
  bash -c "${command/ -o share_data/ -O0 -o $program}" || wrong "docs/building.md: this fails: $command"
  [[ $("$program" --version) == 'share_data '* ]] || wrong "docs/building.md: this builds no program: $command"
  rm "$program"
}

"test_$1"
((!failed))
