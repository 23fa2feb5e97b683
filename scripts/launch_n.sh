#!/usr/bin/env bash
# Starts copies of share_data together, stops them together, and looks what they left behind. See --help.
set -euo pipefail

copies=3         # how many
patience=10      # seconds that they get to leave before they are killed
pane_columns=18  # the smallest pane that still shows a line, wrapped
pane_lines=3

usage() {
  cat <<END
Starts copies of share_data in this terminal. Ctrl+C stops them all.

Examples:
  scripts/launch_n.sh               three copies
  scripts/launch_n.sh 4 --panes     four copies, each in a pane of its own (tmux)
  scripts/launch_n.sh 5 -- --json   five copies that are started with --json

Usage: launch_n.sh [N] [--panes] [--wine] [-- OPTIONS]
  N           how many copies, 1 to 4096 (default $copies)
  --panes     one tmux pane for each copy
  --wine      the Windows program, under Wine
  -- OPTIONS  options for each copy; see share_data --help
  -h, --help  this text

What is missing is installed with apt-get, as root or through sudo, and the program is built when needed.
The exit code is 0 if all copies ended with 0, else the first other one.
END
}

main() {
  parse "$@"
  if [[ $panes ]]; then check_terminal; fi
  install_and_build
  stop_all_in_the_end
  if [[ $panes ]]; then run_in_panes; else run_here; fi
  report_failures
  report_remains
  exit "$exit_code"
}

# Where SIGINT is ignored, as in the background of a script, bash could not react to it: start again without that.
if [[ $(trap -p INT TERM HUP QUIT) ]] && env --default-signal true 2>/dev/null; then
  exec env --default-signal=INT,TERM,HUP,QUIT bash "$0" "$@"
fi

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh

# --- what to do ---

panes='' wine=''
options=()  # for each copy
shared=()   # those of them that say what is shared: --status needs the same ones

wrong_usage() { die 2 "$*; see --help"; }

parse() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --panes) panes=yes ;;
      --wine) wine=yes ;;
      --) shift; options=("$@"); break ;;
      -*) wrong_usage "unknown option $1 (options for the copies come after --)" ;;
      *) parse_number "$1" ;;
    esac
    shift
  done
  local i
  for ((i = 0; i < ${#options[@]}; i++)); do
    case ${options[i]} in
      --key | --via | --name) shared+=("${options[@]:i:2}") ;;
      --key=* | --via=* | --name=*) shared+=("${options[i]}") ;;
    esac
  done
}

parse_number() {
  if [[ ! $1 =~ ^[1-9][0-9]{0,3}$ ]] || (($1 > 4096)); then
    wrong_usage "'$1' is not a number of copies, 1 to 4096"
  fi
  copies=$1
}

# Panes are laid out as tmux tiles them, each below a line with its title; the last line is the status line.
check_terminal() {
  local lines columns down=1 across=1
  if [[ ! -t 0 ]]; then
    { exec </dev/tty; } 2>/dev/null || die 1 "--panes needs a terminal"
  fi
  read -r lines columns < <(stty size)
  while ((down * across < copies)); do
    down=$((down + 1))
    if ((down * across < copies)); then across=$((across + 1)); fi
  done
  local need_columns=$((across * (pane_columns + 1) - 1)) need_lines=$((down * (pane_lines + 1) + 1))
  if ((columns < need_columns || lines < need_lines)); then
    die 1 "$copies panes need a terminal of $need_columns columns and $need_lines lines, this one has $columns and" \
      "$lines: make it larger, its letters smaller, or start fewer copies"
  fi
  terminal_size=(-x "$columns" -y "$lines")
}

install_and_build() {
  local preset=release
  if [[ $wine ]]; then
    preset=mingw
    install_missing "to build and run the Windows program" "${windows_packages[@]}"
  else
    install_missing "to build share_data" "${program_packages[@]}"
  fi
  if [[ $panes ]]; then install_missing "for the panes" "${panes_packages[@]}"; fi
  build_preset "$preset" share_data || { tail -n 40 "build/$preset.log" >&2; die 1 "the build failed"; }
  program=("$PWD/build/release/linux/share_data")
  if [[ $wine ]]; then set_up_wine; fi
}

set_up_wine() {
  local loader
  export WINEDEBUG=-all WINEPREFIX=$PWD/build/wine WINEDLLOVERRIDES='mscoree,mshtml='  # neither Mono nor Gecko
  loader=$(PATH=$PATH:/usr/lib/wine command -v wine64) || die 1 "there is no wine64"
  program=("$loader" "$PWD/build/mingw/windows/share_data.exe")
  if [[ -e $WINEPREFIX/system.reg ]]; then return; fi
  say "setting up Wine in build/wine, which takes some seconds"
  "${program[@]}" --version </dev/null >build/wine.log 2>&1 || { cat build/wine.log >&2; die 1 "Wine does not start"; }
}

# --- stopping ---

stopping=''

stop_all_in_the_end() {
  trap 'stopping=yes; stop_copies' INT TERM HUP QUIT
  trap 'stop_copies; close_panes' EXIT
  trap : PIPE  # that nobody reads what we say is no reason to leave the copies alone
  # shellcheck disable=SC2173  # the one effect it has: bash does not report killed copies in its own words
  trap : KILL
}

# The pids of our copies that still run. Those in panes are tmux's children, the others ours.
running() {
  if [[ $panes ]]; then
    in_tmux list-panes -s -t share_data -f '#{==:#{pane_dead},0}' -F '#{pane_pid}' 2>/dev/null || true
  else
    jobs -rp
  fi
}

# Tells them again and again: a copy that has just been started does not listen yet.
stop_copies() {
  trap '' INT TERM HUP QUIT
  local alive deadline=$((SECONDS + patience))
  while mapfile -t alive < <(running) && ((${#alive[@]})); do
    if ((SECONDS > deadline)); then
      say "killing what did not end within $patience seconds: ${alive[*]}"
      kill -KILL "${alive[@]}" 2>/dev/null || true
    else
      kill -INT "${alive[@]}" 2>/dev/null || true
      kill -CONT "${alive[@]}" 2>/dev/null || true  # a stopped copy hears nothing else
    fi
    sleep 0.2
  done
}

# wait_for PID: waits until that child has ended, and returns its exit code. A signal interrupts `wait`: then once more.
wait_for() {
  local before code
  while before=$stopping code=0; wait "$1" || code=$?; [[ $before != "$stopping" ]]; do :; done
  return "$code"
}

# --- in this terminal ---

pids=() exit_codes=()  # of our copies, in the order of their start

# Children that a script starts in the background ignore SIGINT; share_data listens all the same. Should this script be
# killed, the kernel sends SIGINT to each of them (PR_SET_PDEATHSIG).
run_here() {
  local i pid
  say "starting $copies copies; Ctrl+C stops them all"
  for ((i = 0; i < copies; i++)); do
    if [[ $stopping ]]; then break; fi
    setpriv --pdeathsig INT "${program[@]}" "${options[@]}" &
    pids+=($!)
  done
  if [[ $stopping ]]; then stop_copies; fi
  for pid in "${pids[@]}"; do
    wait_for "$pid" && exit_codes+=(0) || exit_codes+=($?)
  done
}

# --- in panes ---

in_tmux() { tmux -L "share_data-$$" "$@"; }

run_in_panes() {
  local i
  export LAUNCHER=$$
  in_tmux -f scripts/panes.tmux.conf \
    new-session -d -s share_data "${terminal_size[@]}" -- "${program[@]}" "${options[@]}"
  for ((i = 1; i < copies; i++)); do
    if [[ $stopping ]]; then break; fi
    in_tmux split-window -t share_data -- "${program[@]}" "${options[@]}" \; select-layout -t share_data tiled
  done
  in_tmux select-pane -t 'share_data:.{top-left}'
  if [[ ! $stopping ]]; then show_panes; fi
  stop_copies
  collect_panes
  close_panes
}

# Until all copies have ended, or Ctrl+C, or the terminal is closed. In the background, or bash would hear no signal
# until then. If all copies have ended already, there is nothing to show.
show_panes() {
  setpriv --pdeathsig HUP env -u TMUX tmux -L "share_data-$$" attach-session -t share_data \; \
    if-shell -F '#{P:#{?pane_dead,,live}}' '' detach-client <&0 >/dev/null &
  wait_for $! || say "tmux ended with $?"
}

# The exit codes, and how each copy took its leave or what it complained about. tmux may have missed that a copy has
# ended; SIGCHLD makes it look.
collect_panes() {
  local server pane pid code signal last_words
  server=$(in_tmux display-message -p '#{pid}')
  while in_tmux list-panes -s -t share_data -F '#{pane_dead_status}#{pane_dead_signal}' | grep --quiet '^$'; do
    kill -CHLD "$server"
    sleep 0.1
  done
  while read -r pane pid code signal; do
    if [[ $code == - ]]; then code=$((128 + signal)); fi
    pids+=("$pid") exit_codes+=("$code")
    last_words=$(in_tmux capture-pane -p -J -S - -t "$pane")
    if ((code == 0)); then grep left <<<"$last_words" | tail -n 1; else sed '/^$/d' <<<"$last_words" | tail -n 3; fi || true
  done < <(in_tmux list-panes -s -t share_data -F \
    '#{pane_id} #{pane_pid} #{?#{==:#{pane_dead_status},},-,#{pane_dead_status}} #{pane_dead_signal}')
}

close_panes() {
  local socket
  if [[ $panes ]] && socket=$(in_tmux display-message -p '#{socket_path}' 2>/dev/null); then
    in_tmux kill-server
    rm -f "$socket"
  fi
}

# --- what came of it ---

exit_code=0

report_failures() {
  local i code how
  for i in "${!pids[@]}"; do
    code=${exit_codes[i]} how=$code
    if ((code == 0)); then continue; fi
    if ((code > 128)); then how="$code, SIG$(kill -l "$code")"; fi
    say "copy ${pids[i]} ended with $how"
    if ((exit_code == 0)); then exit_code=$code; fi
  done
}

# Two witnesses: the program's own table, and the kernel's list of segments. What nobody uses is looked at again,
# since somebody may be just leaving.
report_remains() {
  local status live segment look
  for ((look = 0; look < 10; look++)); do
    status=$("${program[@]}" --status "${shared[@]}") ||
      { say "what is left behind is unknown, since share_data --status fails"; return; }
    live=${status%% live*} segment=$(segment_in_kernel)
    if [[ $live != 0 || ! $segment ]]; then break; fi
    sleep 0.1
  done
  if [[ $live != 0 ]]; then
    say "nothing left behind; $live copies that others started still run"
  elif [[ $segment ]]; then
    say "left behind by copies that were killed: segment $segment; the next start takes it over"
  else
    say "nothing left behind"
  fi
}

segment_in_kernel() {
  if [[ ! $wine ]]; then awk -v key="$(kernel_key)" '$1 == key { print $2 }' /proc/sysvipc/shm; fi
}

# The key as the kernel lists it, a signed decimal number.
kernel_key() {
  local key=$((0x5d000000 | (EUID & 0xffffff))) option
  for option in "${shared[@]}"; do key=${option#--key=}; done
  if [[ $key != 0[xX]* ]]; then key=10#$key; fi
  key=$((key))
  echo $((key > 0x7fffffff ? key - 0x100000000 : key))
}

main "$@"
