#!/bin/sh
# check.sh holds|fails MODEL FOLDER [-DNAME=VALUE...]: explores MODEL in FOLDER, and succeeds if the protocol
# holds, or fails, as it should. With -DLIVELOCK it looks for circles, else for wrong states.
set -eu
expected=$1 model=$2 folder=$3
shift 3
case " $* " in
  *" -DLIVELOCK "*) kind=-DNP search=-l ;;
  *) kind="-DSAFETY -DNOCOMP" search= ;;
esac
# A search of all states must be fast. In the reverse order, an error is soon found: before a compiler has optimized.
if [ "$expected" = holds ]; then how=-O1; else how="-O0 -DREVERSE"; fi

rm -rf "$folder" && mkdir -p "$folder" && cd "$folder"
spin -a "$@" "$model"
# shellcheck disable=SC2086  # several options in one variable
"${CC:-cc}" $how -w $kind -DNOREDUCE -DMEMLIM=3500 -o pan pan.c
./pan $search -m100000 -w25 >report
grep -E '^pan:|errors:|states, stored$|total actual|elapsed' report
if grep -q 'errors: 0' report; then
  if grep -qE 'max search depth too small|out of memory|Search not completed' report; then
    echo "the search was cut short"
    exit 1
  fi
  found=holds
else
  found=fails
fi
echo "the protocol $found"
[ "$found" = "$expected" ]
