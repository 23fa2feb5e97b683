#!/usr/bin/env bash
# The README shows parts of the source. Fails where one of them is no longer there, to the letter.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

checked=0 failed=0

check() {
  local file=$1 excerpt=$2
  checked=$((checked + 1))
  if [[ $(<"$file") != *"$excerpt"* ]]; then
    failed=$((failed + 1))
    printf '%s does not have:\n%s\n\n' "$file" "$excerpt" >&2
  fi
}

for readme in README*.md; do
  file='' excerpt='' inside=''
  while IFS= read -r line; do
    if [[ $line =~ ^'<!-- excerpt: '(.*)' -->'$ ]]; then
      file=${BASH_REMATCH[1]} excerpt=''
    elif [[ $file && ! $inside && $line == '```'* ]]; then
      inside=yes
    elif [[ $inside && $line == '```' ]]; then
      check "$file" "${excerpt%$'\n'}"
      file='' inside=''
    elif [[ $inside ]]; then
      excerpt+=$line$'\n'
    fi
  done <"$readme"
done

echo "$checked excerpts checked, $failed of them wrong"
((checked > 0 && failed == 0))
