#!/bin/sh
# Runs a Windows program while wineserver writes each request into TRACE:
# traced_wine.sh WINE WINESERVER PREFIX TRACE PROGRAM [ARGUMENT...]
# Nothing else may run in PREFIX, which is made when it is missing.
set -eu
wine=$1 wineserver=$2 trace=$4
export WINEPREFIX="$3" WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=;mshtml='
shift 4
if [ ! -e "$WINEPREFIX/system.reg" ]; then
  mkdir -p "$WINEPREFIX"
  "$wine" wineboot --init >/dev/null 2>&1 </dev/null
fi
"$wineserver" -k || true
"$wineserver" -d -p 2>"$trace"
trap '"$wineserver" -k' EXIT
"$wine" "$@"
