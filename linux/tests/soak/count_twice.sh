#!/bin/sh
# A wrong program for the soak to find: each copy counts for two, one of which nobody knows of.
"$@" --for 8 >/dev/null 2>&1 &
exec "$@"
