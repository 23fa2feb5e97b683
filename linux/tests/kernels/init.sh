#!/bin/sh
# The first process of a virtual machine that scripts/kernels.sh boots, which has nothing but busybox and our programs.
# It tries what depends on the kernel, and prints a line for each scenario: its name and a colon, then `ok`, `skipped`
# or `FAILED`, then perhaps another colon and a remark.
patience=30  # seconds until what should come true must have come true

main() {
  set_up
  echo "kernel: $(uname -r)"
  scenario 'count' count
  scenario 'kill -9' kill_9
  scenario 'Ctrl+Z' ctrl_z
  scenario 'last one out' last_one_out
  scenario 'ipcrm' removal
  scenario '200 at once' two_hundred
  scenario 'idle' idle
  scenario 'PID namespaces' pid_namespaces
  scenario 'fallback' fallback
  scenario 'unit tests' unit_tests
  echo 'end of scenarios'
  reboot -f  # which ends the machine
}

count() {
  start 5
  [ "$(share_data --status | head -n 1)" = '5 live' ] || fail "--status says something else"
  set -- *
  end TERM "$1"
}

kill_9() {
  start 4
  set -- *
  end KILL "$1"
  [ "$(grep -l "x $1 was killed" -- * | wc -l)" = 3 ] || fail "not all three say who was killed"
}

# All that watch the victim are stopped, except one.
ctrl_z() {
  start 7
  set -- *
  victim=$1 awake=$2
  shift 2
  kill -STOP "$@"
  eventually stopped "$@"
  kill -KILL "$victim"
  rm "$victim"
  eventually show 6 "$awake"
  kill -CONT "$@"
  eventually show 6
}

last_one_out() {
  start 3
  attached 3 || fail "there is not one segment with three attached"
  set -- *
  end TERM "$1" "$2"
  kill -TERM "$3"
  eventually attached ''
  grep -q 'last one out, segment removed' "$3" || fail "the last one does not say so"
}

# The copies are in a segment that nobody can find any more, until a newcomer calls them to the new one.
removal() {
  start 4
  ipcrm "$(awk 'NR == 2 { print $2 }' /proc/sysvipc/shm)" || fail "ipcrm failed"
  start 1
  eventually attached 5
}

# More than one copy can watch.
two_hundred() {
  start 200
  set -- *
  end KILL "$1"
  shift
  kill -TERM "$@"
  eventually attached ''
}

# No copy wakes up. Without futex_waitv, each does twice a second.
idle() {
  start 10
  sleep 1
  before=$(wake_ups)
  sleep 4
  woken=$(($(wake_ups) - before))
  allowed=0
  has_futex_waitv || allowed=100
  [ "$woken" -le $allowed ] || fail "10 copies woke up $woken times in 4 s"
}

# Two copies here, and two in a namespace of their own, where they have other pids: 2 and 3.
pid_namespaces() {
  start 2
  set -- *
  unshare --pid --fork sh -c 'share_data >inner.1 & share_data >inner.2 & wait' >/dev/null 2>&1 &
  eventually show 4
  kill -KILL "$(outer_pid_of 2)"
  rm "$(grep -l '\[2\]' inner.*)"
  eventually show 3
  end KILL "$1"
  kill -KILL "$(outer_pid_of 1)"  # and with it all in the namespace
  rm inner.*
  eventually show 1
}

# The copies say that they poll if and only if they have to; then they see a death all the same.
fallback() {
  start 3
  sleep 1
  saying=$(grep -l futex_waitv /notes/* | wc -l)
  if has_futex_waitv; then
    [ "$saying" = 0 ] || fail "$saying copies say that futex_waitv is missing, but it is there"
    skip "this kernel has futex_waitv, and the copies use it"
  fi
  [ "$saying" = 3 ] || fail "$saying of 3 copies say that futex_waitv is missing"
  patience=2
  set -- *
  end KILL "$1"
}

unit_tests() {
  linux_unit_tests --gtest_brief=1 >/out 2>&1 || { cat /out >&2; fail "$(grep -m 1 FAILED /out || tail -n 1 /out)"; }
  awk '$2 == "PASSED" { printf "%s passed", $4 } $2 == "SKIPPED" && $5 ~ /^test/ { printf ", %s skipped", $4 }' /out
}

# --- how the scenarios do it ---

set_up() {
  export PATH=/bin
  /bin/busybox --install -s /bin
  mkdir -p /proc /dev /tmp /lines /notes
  mount -t proc proc /proc
  mount -t devtmpfs dev /dev
  cd /lines || exit
}

# scenario NAME FUNCTION: what the function prints is the remark.
scenario() {
  remark=$("$2")
  case $? in 0) verdict=ok ;; 77) verdict=skipped ;; *) verdict=FAILED ;; esac
  echo "$1: $verdict${remark:+: $remark}"
  while killall -q -KILL share_data; do sleep 0.1; done
  rm -f /lines/* /notes/*
  awk 'NR > 1 { print $2 }' /proc/sysvipc/shm | xargs -r -n 1 ipcrm
}

fail() { echo "$*"; exit 1; }
skip() { echo "$*"; exit 77; }

# eventually COMMAND...: waits until it succeeds.
eventually() {
  deadline=$(($(date +%s) + patience))
  until "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "this never came true: $*"
    sleep 0.1
  done
}

# How many copies there should be.
here() { find . -type f | wc -l; }

# start N: N more copies, until all agree. Each writes its lines to a file that is named after its pid.
start() {
  total=$(($(here) + $1))
  for _ in $(seq "$1"); do sh -c 'exec share_data >$$ 2>/notes/$$' & done
  eventually show "$total"
}

# end SIGNAL PID...: ends copies, until the others agree.
end() {
  kill -s "$@"
  shift
  rm "$@"
  eventually show "$(here)"
}

# show N [PID...]: whether these copies, or else all, show N on their last lines.
show() {
  number=$1
  shift
  [ $# -gt 0 ] || set -- *
  [ "$(tail -q -n 1 "$@" 2>/dev/null | grep -c "\] *$number live ")" = $# ]
}

# attached N: whether there is one segment and N are attached to it. With '', whether there is no segment.
attached() { [ "$(awk 'NR > 1 { print $7 }' /proc/sysvipc/shm)" = "$1" ]; }

stopped() { for pid; do grep -q '^State:.T' "/proc/$pid/status" || return; done; }

wake_ups() { for pid in *; do cat "/proc/$pid/status"; done | awk '/^voluntary/ { sum += $2 } END { print sum }'; }

# outer_pid_of PID: the pid here of what has PID in the other namespace.
outer_pid_of() { cat /proc/[0-9]*/status | awk -v pid="$1" '/^NSpid/ && NF == 3 && $3 == pid { print $2 }'; }

has_futex_waitv() { grep -q futex_waitv /proc/kallsyms; }

main
