#!/usr/bin/env bash
# Starts several copies of share_data, stops them together, and says what they left behind. See --help.
set -euo pipefail
# Started in a script's background, it ignores SIGINT, and cannot trap what it ignores: start again without that.
if [[ $(trap -p INT QUIT) ]]; then exec env --default-signal=INT,QUIT bash "$0" "$@"; fi
cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh

copies=3 panes='' wine='' options=() pids=() patience=10  # seconds to leave before a copy is killed

usage() {
  cat <<END
Starts copies of share_data in this terminal. Ctrl+C stops them all.

Examples:
  scripts/launch_n.sh 4 --panes     four copies, each in a pane of its own (tmux)
  scripts/launch_n.sh 5 -- --json   five copies that are started with --json

Usage: launch_n.sh [N] [--panes] [--wine] [-- OPTIONS]
  N           how many copies, 1 to 1024 (default $copies)
  --panes     one tmux pane for each copy
  --wine      the Windows program, under Wine
  -- OPTIONS  options for each copy; see share_data --help
  -h, --help  this text

The program is built when needed. What is missing is installed with apt-get or, where there is none, named.
The exit code is 0 if all copies ended with 0, else the first other one.
END
}

parse() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --panes) panes=yes ;;
      --wine) wine=yes ;;
      --) options=("${@:2}"); break ;;
      -*) die 2 "unknown option $1 (options for the copies come after --); see --help" ;;
      *) copies=$1 ;;
    esac
    shift
  done
  [[ $copies =~ ^[1-9][0-9]{0,3}$ && $copies -le 1024 ]] || die 2 "'$copies' is not a number from 1 to 1024; see --help"
}

# Sets `program` to the command that starts a copy, and `status` to the one that asks what there is.
prepare_program() {
  if [[ $wine ]]; then
    install_missing "to build and run share_data" "${windows_needs[@]}" env grep setpriv ${panes:+tmux}
    build_preset mingw share_data
    prepare_wine
    program=("$wine" "$PWD/build/mingw/windows/share_data.exe") status=("${program[@]}" --status)
  else
    install_missing "to build and run share_data" "${program_needs[@]}" env grep setpriv ${panes:+tmux}
    build_preset release share_data
    program=("$PWD/build/release/linux/share_data") status=("${program[@]}" --status --explain)
  fi
}

# panes.sh replaces the next three functions. Here each copy has a session of its own, so that Ctrl+C reaches the script
# alone: bash would lose the exit code of a copy that ends while the signal interrupts `wait`.
run_copies() {
  say "starting $copies copies; Ctrl+C stops them all"
  while ((${#pids[@]} < copies)); do
    setpriv --pdeathsig INT setsid "${program[@]}" "${options[@]}" &  # stopped, too, if this script is killed
    pids+=($!)
  done
  wait "${pids[@]}" || true
}

running() { jobs -rp; }

report_copies() {
  local pid code
  for pid in "${pids[@]}"; do wait "$pid" && code=0 || code=$?; report "$pid" "$code"; done
}

report() {  # PID EXIT_CODE
  local how=$2
  if (($2 > 128)); then how+=", SIG$(kill -l "$2")"; fi
  if (($2 != 0)); then say "copy $1 ended with $how"; fi
  if ((exit_code == 0)); then exit_code=$2; fi
}

# Asks again and again: a copy that has just been started does not listen yet, and a stopped one must go on first.
stop_copies() {
  local alive signal=INT deadline=$((SECONDS + patience))
  while mapfile -t alive < <(running) && ((${#alive[@]})); do
    if ((SECONDS > deadline)); then signal=KILL; say "killing what did not end in $patience seconds: ${alive[*]}"; fi
    { kill -s "$signal" "${alive[@]}"; kill -s CONT "${alive[@]}"; } 2>/dev/null || true
    sleep 0.2
  done
}

# Asks the program. If no copy of ours was killed, a segment that nobody uses is one that others are just removing.
report_remains() {
  local answer shared remains="nothing left behind"
  mapfile -t shared < <(printf '%s\n' "${options[@]}" | sed -nE '/^--(key|via|name)(=|$)/ { /=/!N; p }')
  answer=$("${status[@]}" "${shared[@]}") || { say "what is left behind is unknown: --status fails"; return; }
  if [[ $answer != '0 live'* ]]; then
    remains+="; ${answer%% live*} copies that others started still run"
  elif [[ $exit_code != 0 && $answer =~ segment\ ([0-9]+), ]]; then
    remains="left behind by copies that were killed: segment ${BASH_REMATCH[1]}; the next start reuses it"
  fi
  say "$remains"
}

finish() { exit_code=$?; trap '' INT TERM HUP QUIT; stop_copies; report_copies; report_remains; exit "$exit_code"; }

parse "$@"
# shellcheck source-path=SCRIPTDIR source=panes.sh
if [[ $panes ]]; then source scripts/panes.sh; check_terminal; fi
prepare_program
trap 'exit 0' INT TERM HUP QUIT
# shellcheck disable=SC2173  # the one effect it has: bash does not report killed copies in its own words
trap : KILL
trap finish EXIT
run_copies
