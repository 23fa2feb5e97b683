#!/bin/sh
# Runs a Windows program: wine.sh WINE WINESERVER PREFIX PROGRAM [ARGUMENT...]
wine=$1 wineserver=$2
export WINEPREFIX="$3" WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=;mshtml='
export LC_ALL=C.UTF-8  # or Wine 10 cannot make files whose names are not ASCII
shift 3
mkdir -p "$WINEPREFIX"

# The first program of a session starts Wine's services, which live longer than it does and keep its output open:
# whoever reads that to the end would wait for them. So let this one be the first. The session ends by itself half
# a minute after the last program. (-k0 only asks whether there is one.)
(
  flock 9
  "$wineserver" -k0 && exit
  "$wineserver" -p30 >/dev/null 2>&1 9<&-
  "$wine" cmd /c exit >/dev/null 2>&1 </dev/null 9<&-
) 9<"$WINEPREFIX"

# Once in some thousand times, glibc stops Wine at its end, with this code: "Inconsistency detected by ld.so".
"$wine" "$@"
code=$?
if [ "$code" != 127 ]; then exit "$code"; fi
exec "$wine" "$@"
