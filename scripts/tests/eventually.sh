# How the tests of the scripts wait. Sourced, not run; `patience`, in seconds, and `fail` are the test's own.
# shellcheck shell=bash

# eventually COMMAND...: waits until it succeeds.
eventually() {
  # shellcheck disable=SC2154  # see above
  local deadline=$((SECONDS + patience))
  until "$@"; do
    ((SECONDS < deadline)) || fail "this never came true: $*"
    sleep 0.1
  done
}
