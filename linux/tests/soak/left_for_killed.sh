#!/bin/bash
# A wrong program for the soak to find: it says of copies that have left that they were killed.
case "$*" in *--status*) exec "$@" ;; esac
exec "$@" > >(exec sed -u 's/  - /  x /; s/"left":\(\[[0-9]*\]\),"killed":\[\]/"left":[],"killed":\1/')
