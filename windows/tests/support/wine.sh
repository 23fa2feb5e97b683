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

# Once in some thousand times, Wine cannot start a program (the code is the last byte of STATUS_DLL_NOT_FOUND,
# STATUS_DLL_INIT_FAILED or STATUS_INVALID_IMAGE_FORMAT), or glibc stops Wine at its end (127, "Inconsistency detected
# by ld.so"). No test ends with these codes.
"$wine" "$@"
code=$?
case $code in
  0) ;;
  53 | 66 | 123 | 127) exec "$wine" "$@" ;;
  *) [ -t 2 ] || echo "exit code $code" >&2 ;;
esac
exit "$code"
