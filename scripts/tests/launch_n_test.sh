#!/usr/bin/env bash
# Starts launch_n.sh for real, in terminals of a tmux server of its own, and presses keys there.
# Usage: launch_n_test.sh CASE, where CASE is one of the functions below that begin with test_, without that.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=eventually.sh
source "$(dirname "$(readlink -f "$0")")/eventually.sh"

patience=240  # seconds for what must come, on a busy machine too; the first launch has to build
root=$(dirname "$(readlink -f "$0")")/../..
launch=$root/scripts/launch_n.sh
program=$root/build/release/linux/share_data
key=$(printf '%#x' $((0x6c000000 + $$)))  # a count of our own
work=$(mktemp -d)
out=$work/out err=$work/err

# --- what the tests are made of ---

fail() {
  touch "$out" "$err"
  echo "FAILED: $*"
  echo "--- screen"
  screen || true
  tail -v -n 60 "$out" "$err" || true
  exit 1
} >&2

expect() { "$@" || fail "this does not hold: $*"; }

equal() { [[ $1 == "$2" ]] || { echo "'$1' is not '$2'" >&2; return 1; }; }

outer_tmux() { tmux -L "launch_n_test-$$" -f /dev/null "$@"; }

# terminal COLUMNS LINES ARGUMENT...: a terminal of that size, with launch_n.sh in it. A second call takes the same one.
terminal() {
  outer_tmux has-session -t test 2>/dev/null ||
    outer_tmux new-session -d -s test -x "$1" -y "$2" "sleep infinity" \; set -g remain-on-exit on
  outer_tmux respawn-pane -k -t test -- env -u TMUX "$launch" "${@:3}"
  launcher=$(outer_tmux list-panes -t test -F '#{pane_pid}')
}

press() { outer_tmux send-keys -t test "$@"; }
screen() { outer_tmux capture-pane -p -J -S - -t test; }
screen_shows() { screen | grep --quiet --extended-regexp -e "$1"; }
# tmux may have missed that its child has ended; SIGCHLD makes it look.
exit_code() {
  kill -CHLD "$(outer_tmux display-message -p '#{pid}')"
  outer_tmux list-panes -t test -F '#{?pane_dead,#{pane_dead_status},}'
}
has_ended() { [[ $(exit_code) ]]; }

# background ARGUMENT...: without a terminal, output into files. A script's background ignores SIGINT.
background() {
  setsid "$launch" "$@" >"$out" 2>"$err" &
  launcher=$!
}

live() { "$program" --status --key "$key" 2>/dev/null | sed -n 's/ live$//p'; }
live_is() { equal "$(live)" "$1" 2>/dev/null; }
pids() { "$program" --status --key "$key" | awk 'NR > 2 { print $1 }'; }
count() { grep --count --extended-regexp -e "$1" "$2"; }

# Nobody runs, as far as the processes, the program and the kernel can tell.
nothing_left() {
  ! pgrep --full -- "linux/share_data .*--key=$key" >/dev/null && live_is 0 &&
    ! awk -v key=$((key)) '$1 == key' /proc/sysvipc/shm | grep --quiet .
}

clean_up() {
  outer_tmux kill-server 2>/dev/null || true
  pkill -KILL --full -- "linux/share_data .*--key=$key" || true
  if [[ -e $program ]]; then ipcrm --shmem-key "$key" 2>/dev/null || true; fi
  rm -rf "$work" "/tmp/tmux-$EUID/launch_n_test-$$"
}
trap clean_up EXIT

# --- in one terminal ---

# Again and again: a copy may end at the very moment that the launcher reacts to the signal.
test_ctrl_c_stops_all_and_the_summary_comes_last() {
  for _ in {1..10}; do
    terminal 130 40 3 -- --key="$key"
    eventually screen_shows '3 live'
    press C-c
    eventually has_ended
    expect equal "$(exit_code)" 0
    expect equal "$(screen | grep --count 'live  left')" 3
    expect equal "$(screen | sed '/^$/d' | grep -v '^Pane is dead' | tail -n 1)" 'launch_n.sh: nothing left behind'
    expect nothing_left
  done
}

signal_stops_all() {
  background 3 -- --key="$key"
  eventually live_is 3
  kill -s "$1" "$launcher"
  expect wait "$launcher"
  expect equal "$(count 'live  left' "$out")" 3
  expect equal "$(tail -n 1 "$err")" 'launch_n.sh: nothing left behind'
  expect nothing_left
}
test_sigterm_stops_all() { signal_stops_all TERM; }
test_sighup_stops_all() { signal_stops_all HUP; }
test_sigquit_stops_all() { signal_stops_all QUIT; }
test_sigint_stops_all_even_if_it_was_ignored() { signal_stops_all INT; }

test_a_signal_at_any_moment_of_the_start_stops_all() {
  local round
  background 1 -- --key="$key" --for 0.1  # builds, if need be
  expect wait "$launcher"
  for ((round = 0; round < 12; round++)); do
    background 20 -- --key="$key"
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
    kill -s TERM "$launcher" || true
    wait "$launcher" || true
    expect nothing_left
  done
}

test_no_copy_outlives_a_launcher_that_was_killed() {
  background 3 -- --key="$key"
  eventually live_is 3
  kill -KILL "$launcher"
  eventually nothing_left
}

test_closing_the_terminal_stops_all() {
  terminal 130 40 3 -- --key="$key"
  eventually live_is 3
  outer_tmux kill-session -t test
  eventually nothing_left
}

test_stopped_copies_are_stopped_too() {
  local stopped
  background 3 -- --key="$key"
  eventually live_is 3
  mapfile -t stopped < <(pids)
  kill -STOP "${stopped[@]:0:2}"
  kill -TERM "$launcher"
  expect wait "$launcher"
  expect nothing_left
}

test_the_exit_code_is_the_first_that_is_not_0() {
  local code=0 victim
  background 2 -- --key="$key" --bogus
  wait "$launcher" || code=$?
  expect equal "$code" 2
  background 3 -- --key="$key"
  eventually live_is 3
  victim=$(pids | head -n 1)
  kill -KILL "$victim"
  eventually live_is 2
  kill -TERM "$launcher"
  code=0
  wait "$launcher" || code=$?
  expect equal "$code" 137
  expect grep --quiet "launch_n.sh: copy $victim ended with 137, SIGKILL" "$err"
  expect equal "$(grep --count Killed "$err")" 0
  expect nothing_left
}

test_what_killed_copies_leave_is_named() {
  local victim code=0
  background 1 -- --key="$key"
  eventually live_is 1
  victim=$(pids)
  kill -KILL "$victim"
  wait "$launcher" || code=$?
  expect equal "$code" 137
  expect grep --quiet 'left behind by copies that were killed: segment' "$err"
  background 1 -- --key="$key" --for 0.1
  expect wait "$launcher"
  expect nothing_left
}

test_copies_of_others_are_no_error_and_stay() {
  background 1 -- --key="$key" --for 0.1  # builds, if need be
  expect wait "$launcher"
  "$program" --key="$key" --quiet >/dev/null &
  local other=$!
  eventually live_is 1
  background 2 -- --key "$key" --for 0.5
  expect wait "$launcher"
  expect grep --quiet 'nothing left behind; 1 copies that others started still run' "$err"
  expect live_is 1
  kill "$other"
  expect wait "$other"
  expect nothing_left
}

test_a_reader_that_goes_away_ends_all() {
  mkfifo "$work/pipe"
  setsid "$launch" 3 -- --key="$key" >"$work/pipe" 2>"$err" &
  launcher=$!
  head -n 1 <"$work/pipe" >"$out"
  eventually test -x "$program"
  "$program" --key="$key" --for 0.5 --quiet >/dev/null  # now the others have something to say
  expect wait "$launcher"
  expect grep --quiet 'launch_n.sh: nothing left behind' "$err"
  expect nothing_left
}

test_it_runs_without_input_and_from_anywhere() {
  cd /
  "$launch" 2 -- --key="$key" --for 0.5 <&- >"$out" 2>"$err" || fail "exit code $?"
  expect equal "$(count 'live  left' "$out")" 2
  expect nothing_left
}

test_a_copied_tree_with_spaces_in_its_path_is_built_anew() {
  local tree="$work/a tree"
  mkdir "$tree"
  find "$root" -mindepth 1 -maxdepth 1 ! -name build ! -name .git -exec cp -r {} "$tree" \;
  mkdir -p "$tree/build/release"
  if [[ -e $root/build/release/CMakeCache.txt ]]; then cp "$root/build/release/CMakeCache.txt" "$tree/build/release"; fi
  printf '#!/bin/sh\nexec c++ "$@" -O0\n' >"$work/fast c++" && chmod +x "$work/fast c++"
  CXX="$work/fast c++" "$tree/scripts/launch_n.sh" 2 -- --key="$key" --for 1 >"$work/out" 2>"$work/err" || fail "exit code $?"
  expect grep --quiet '2 live' "$work/out"
  expect "$tree/scripts/launch_n.sh" 1 -- --key="$key" --for 0.1 2>"$work/second" >/dev/null
  expect equal "$(grep --count building "$work/second")" 0
  expect nothing_left
}

test_wrong_usage_ends_with_2_and_a_hint() {
  local arguments code
  for arguments in 0 4097 -1 x 1.5 '' --pane '--key 1' '2 --wine=yes'; do
    code=0
    # shellcheck disable=SC2086  # several words, or none where the argument is empty
    "$launch" ${arguments:-''} >"$out" 2>"$err" || code=$?
    expect equal "$code" 2
    expect grep --quiet 'see --help' "$err"
    expect equal "$(wc -c <"$out")" 0
  done
  expect "$launch" --help >"$out"
  expect grep --quiet Examples "$out"
}

test_windows_copies_under_wine_count_and_stop_too() {
  grep --quiet '"release-mingw"' "$root/CMakePresets.json" || exit 77
  terminal 130 40 3 --wine -- --via mapping --name "launch_n_test-$$"
  eventually screen_shows '3 live'
  press C-c
  eventually has_ended
  expect equal "$(exit_code)" 0
  expect equal "$(screen | grep --count 'live  left')" 3
  expect equal "$(screen | sed '/^$/d' | grep -v '^Pane is dead' | tail -n 1)" 'launch_n.sh: nothing left behind'
}

# --- installing ---

# Where no package is installed, and apt-get only writes down what it is asked for.
without_packages() {
  mkdir "$work/bin"
  printf '#!/bin/sh\nexit 1\n' >"$work/bin/dpkg-query"
  printf '#!/bin/sh\necho "$*" >>"%s"\n' "$work/asked" >"$work/bin/apt-get"
  printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
  chmod +x "$work"/bin/*
  PATH=$work/bin:$PATH
}

test_a_person_is_asked_before_anything_is_installed() {
  without_packages
  terminal 130 40 1 -- --key="$key" --for 0.1
  eventually screen_shows 'installing with apt-get: .*libfmt-dev'
  eventually screen_shows 'Go on\?'
  press n Enter
  eventually has_ended
  expect equal "$(exit_code)" 1
  expect test ! -e "$work/asked"
}

test_without_a_terminal_nobody_is_asked() {
  without_packages
  background 1 -- --key="$key" --for 0.1
  expect wait "$launcher"
  expect grep --quiet 'install .*libfmt-dev' "$work/asked"
}

# --- in panes ---

panes_show() { equal "$(screen | grep --only-matching --extended-regexp "$1" | wc -l)" "$2" 2>/dev/null; }

test_four_panes_count_and_see_one_killed() {
  local victim
  terminal 160 40 4 --panes -- --key="$key" --quiet
  eventually live_is 4
  eventually panes_show '   4 live' 4
  victim=$(pids | tail -n 1)
  kill -KILL "$victim"
  eventually panes_show "   3 live  x $victim was killed" 3
  eventually screen_shows 'copy [1-4] was killed by signal 9'
  eventually screen_shows 'Ctrl\+C: stop all'
  press C-c
  eventually has_ended
  expect equal "$(exit_code)" 137
  expect screen_shows "copy $victim ended with 137, SIGKILL"
  expect screen_shows 'nothing left behind'
  expect nothing_left
}

test_keys_kill_stop_and_restart_the_copy_of_a_pane() {
  terminal 160 40 2 --panes -- --key="$key" --quiet
  eventually live_is 2
  eventually screen_shows 'Ctrl\+C: stop all'
  press x
  eventually screen_shows '1 live  x '
  press +
  eventually screen_shows '2 live  \+ '
  press -l -- -
  eventually screen_shows '1 live  - '
  press Down
  press -l -- -
  eventually has_ended  # all have left, so the session closes by itself
  expect equal "$(exit_code)" 0
  expect nothing_left
}

test_panes_close_when_all_copies_have_ended() {
  terminal 100 30 3 --panes -- --key="$key" --for 1
  eventually has_ended
  expect equal "$(exit_code)" 0
  expect nothing_left
}

test_panes_whose_copies_fail_at_once_say_why() {
  terminal 100 30 3 --panes -- --key="$key" --bogus
  eventually has_ended
  expect equal "$(exit_code)" 2
  expect screen_shows 'share_data: .*--bogus'
}

test_64_panes_fit_in_a_large_terminal() {
  terminal 320 100 64 --panes -- --key="$key" --quiet
  eventually live_is 64
  eventually panes_show '   64 live' 64
  outer_tmux resize-window -t test -x 290 -y 90
  kill -KILL "$(pids | tail -n 1)"
  eventually panes_show '   63 live  x' 63
  press C-c
  eventually has_ended
  expect equal "$(exit_code)" 137
  expect nothing_left
}

test_64_panes_in_a_small_terminal_are_refused_with_the_size_they_need() {
  terminal 80 24 64 --panes -- --key="$key"
  eventually has_ended
  expect equal "$(exit_code)" 1
  expect screen_shows '64 panes need a terminal of 151 columns and 33 lines, this one has 80 and 24'
}

test_panes_without_a_terminal_are_refused() {
  local code=0
  background 2 --panes -- --key="$key"
  wait "$launcher" || code=$?
  expect equal "$code" 1
  expect grep --quiet -e '--panes needs a terminal' "$err"
}

panes_end_when() {
  terminal 160 40 4 --panes -- --key="$key" --quiet
  eventually live_is 4
  eventually screen_shows 'Ctrl\+C: stop all'
  "$@"
  eventually nothing_left
}
kill_launcher() { kill -s "$1" "$launcher"; }
test_closing_the_terminal_of_the_panes_stops_all() { panes_end_when outer_tmux kill-session -t test; }
test_sigterm_stops_all_panes() { panes_end_when kill_launcher TERM; }
test_sighup_stops_all_panes() { panes_end_when kill_launcher HUP; }
test_no_pane_outlives_a_launcher_that_was_killed() { panes_end_when kill_launcher KILL; }

"test_$1"
