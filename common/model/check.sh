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
if [ "$expected" = holds ]; then how=; else how=-DREVERSE; fi  # in this order an error is soon found

rm -rf "$folder" && mkdir -p "$folder" && cd "$folder"
spin -a "$@" "$model"
# shellcheck disable=SC2086  # several options in one variable
"${CC:-cc}" -O1 $how -w $kind -DNOREDUCE -DMEMLIM=3500 -o pan pan.c
./pan $search -m100000 >report
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
