#!/usr/bin/env bash
# Does an experiment of the README or of a page in docs/ in real terminals, as its reader would, and compares what they
# show with what the page promises: line by line, with other times, and with other numbers, the same ones wherever the
# page has the same.
# Usage: experiments_test.sh EXPERIMENT PROGRAM [WINE...], where EXPERIMENT is one of the functions below that begin
# with test_ (windows_ for the Windows program, which the command WINE runs), without that.
set -euo pipefail
export LC_ALL=C.UTF-8
# shellcheck source-path=SCRIPTDIR source=eventually.sh
source "$(dirname "$(readlink -f "$0")")/eventually.sh"

experiment=$1 program=$2
wine=("${@:3}")
patience=60  # seconds for what must come, on a busy machine too
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
key=$(printf '%#x' $((0x6e000000 + $$)))  # a count of our own
work=$(mktemp -d)

fail() {
  local terminal name
  echo "FAILED: $*"
  for terminal in "${!promised[@]}"; do
    printf -- '--- terminal %s should show\n%s--- and shows\n%s' "$terminal" "${promised[$terminal]}" "$(screen "$terminal")"
    echo
  done
  echo "--- with"
  for name in "${!bound[@]}"; do echo "$name = ${bound[$name]}"; done
  exit 1
} >&2

# --- what the page promises ---

declare -A promised=()  # by terminal: its lines
declare -A checked=()   # by terminal: how many of them have been seen
declare -A commands=()  # by terminal: how many of its commands have been typed

read_page() {
  local page line terminal=1 inside=''
  page=$(cd "$top" && grep --files-with-matches --line-regexp -e "<!-- experiment: $experiment -->" README.md docs/*[!N].md) ||
    fail "there is no experiment $experiment"
  while IFS= read -r line; do
    if [[ ! $inside ]]; then
      if [[ $line == '```'* ]]; then inside=yes; fi
    elif [[ $line == '```' ]]; then
      break
    elif [[ $line =~ ^'# terminal '([0-9]+) ]]; then
      terminal=${BASH_REMATCH[1]}
    elif [[ $line ]]; then
      promised[$terminal]=${promised[$terminal]-}$line$'\n'
    fi
  done < <(sed "1,/^<!-- experiment: $experiment -->\$/d" "$top/$page")
}

# compile TEXT: sets `regex` to what the text looks like when it comes true. Where it has a number or name that is
# not yet bound, the regex has a group, and `names` says which. An ellipsis stands for the rest of a line, and on a
# line by itself for any lines.
compile() {
  local rest=$1 newline=$'\n'
  regex='' names=()
  while [[ $rest ]]; do
    if [[ $rest =~ ^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} ]]; then
      regex+='[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}'
    elif [[ $rest =~ ^[0-9]+:[0-9]{2}:[0-9]{2} ]]; then
      regex+='[0-9]+:[0-9]{2}:[0-9]{2}'
    elif [[ $rest =~ ^[0-9]+\.[0-9]+ ]]; then
      regex+='[0-9]+[.][0-9]+'
    elif [[ $rest =~ ^0x[0-9a-f]{9,} ]]; then  # an address
      regex+='0x[0-9a-f]+'
    elif [[ $rest =~ ^0x0+ ]]; then
      regex+=${BASH_REMATCH[0]}
    elif [[ $rest =~ ^(0x[0-9a-f]+|[0-9]{4,}|ada) ]]; then  # a key; a pid, an id or a size; the user
      if [[ -v bound[${BASH_REMATCH[0]}] ]]; then
        regex+=${bound[${BASH_REMATCH[0]}]}
      else
        regex+='([[:alnum:]._-]+)' names+=("${BASH_REMATCH[0]}")
      fi
    elif [[ $rest =~ ^([0-9]+|[[:alpha:]]+) ]]; then
      regex+=${BASH_REMATCH[0]}
    elif [[ $rest =~ ^\ + ]]; then
      regex+=' +'
    elif [[ $rest =~ ^…$newline && ${regex: -1} == "$newline" ]]; then
      regex+="(.*$newline)?" names+=('')
    elif [[ $rest =~ ^… ]]; then
      regex+="[^$newline]*"
    else
      [[ $rest =~ ^. ]]
      case ${BASH_REMATCH[0]} in
        "$newline") regex+=$newline ;;
        '^' | \\) regex+="\\${BASH_REMATCH[0]}" ;;
        *) regex+="[${BASH_REMATCH[0]}]" ;;
      esac
    fi
    rest=${rest#"${BASH_REMATCH[0]}"}
  done
}

# What the page calls one thing is one thing, and what it tells apart differs, among pids as among ids.
declare -A bound=()
bind() {
  local name=$1 value=$2 other
  [[ $name ]] || return 0
  for other in "${!bound[@]}"; do
    if [[ $other == "$name" ]]; then
      [[ ${bound[$other]} == "$value" ]] || fail "$name is ${bound[$other]} and $value"
    elif ((${#other} == ${#name})); then
      [[ ${bound[$other]} != "$value" ]] || fail "$name and $other are both $value"
    fi
  done
  bound[$name]=$value
}

# --- the terminals ---

in_tmux() { tmux -S "$work/socket" -f /dev/null "$@"; }

# open COUNT: that many terminals, with a shell in each.
open() {
  local terminal
  for ((terminal = 1; terminal <= $1; terminal++)); do
    in_tmux new-session -d -s "t$terminal" -x 200 -y 50 -c "$work" \
      env -u TMUX -u NO_COLOR PS1='$ ' PATH="$work/bin:$PATH" bash --noprofile --norc
  done
}

# Bash 5.3 adds the command to the line that says how it ended.
screen() { in_tmux capture-pane -p -J -S - -t "t$1" | sed 's/ *$//; s/^\(Killed\|Terminated\) .*/\1/; /^$/d'; }

shows_a_prompt() { [[ $(screen "$1" | tail -n 1) == '$' ]]; }

# matches TERMINAL: it shows what `regex` says, twice in a row: a line may be on its way.
matches() {
  local before=$match
  [[ $(screen "$1")$'\n' =~ $regex ]] || return 1
  match=${BASH_REMATCH[0]}
  [[ $match == "$before" ]]
}

# shows TERMINAL [TEXT]: waits until it shows all that is promised, up to the next line with the text. Without a
# text: all, and nothing more.
shows() {
  local terminal=$1 lines count match='' i
  mapfile -t lines <<<"${promised[$terminal]%$'\n'}"
  count=${#lines[@]}
  if (($# > 1)); then
    for ((count = ${checked[$terminal]-0}; count < ${#lines[@]}; count++)); do
      if [[ ${lines[count]} == *"$2"* ]]; then break; fi
    done
    count=$((count + 1))
    ((count <= ${#lines[@]})) || fail "the page promises no '$2' in terminal $terminal"
  fi
  compile $'\n'"$(printf '%s\n' "${lines[@]:0:count}")"$'\n'
  regex=^${regex#$'\n'}
  if (($# == 1)); then regex+=$'([$]\n)?$'; fi
  eventually matches "$terminal"
  [[ $match =~ $regex ]]
  for i in "${!names[@]}"; do bind "${names[i]}" "${BASH_REMATCH[i + 1]}"; done
  checked[$terminal]=$count
}

all_show() {
  local terminal
  for terminal in "${!promised[@]}"; do shows "$terminal"; done
}

press() { in_tmux send-keys -t "t$1" "$2"; }

close() { in_tmux kill-session -t "t$1"; }

# enter TERMINAL COMMAND: types it, with the numbers as they are here.
enter() {
  local rest=$2 typed=''
  while [[ $rest =~ ^([^0-9]*)(0x[0-9a-f]+|[0-9]+)(.*)$ ]]; do
    typed+=${BASH_REMATCH[1]}${bound[${BASH_REMATCH[2]}]-${BASH_REMATCH[2]}} rest=${BASH_REMATCH[3]}
  done
  eventually shows_a_prompt "$1"
  in_tmux send-keys -t "t$1" -l -- "$typed$rest"
  press "$1" Enter
}

# run TERMINAL: types its next command.
run() {
  local list
  mapfile -t list < <(grep '^[$] ' <<<"${promised[$1]}")
  enter "$1" "${list[${commands[$1]-0}]#'$ '}"
  commands[$1]=$((${commands[$1]-0} + 1))
}

# The reader's commands, without paths and options: ours count by themselves.
set_up_commands() {
  mkdir "$work/bin"
  ln -s "$top/docs" "$work/docs"
  if ((${#wine[@]})); then
    cp "$program" "$work/share_data.exe"
    cp "${program%/*}/share_data_table.dll" "$work"
    {
      echo '#!/bin/sh'
      echo "case \"\$*\" in *mapping*) set -- \"\$@\" --name experiments-$$ ;; esac"
      printf 'exec'
      printf " '%s'" "${wine[@]}"
      # shellcheck disable=SC2016  # for the script
      echo ' "$@"'
    } >"$work/bin/wine"
    chmod +x "$work/bin/wine"
  else
    printf "#!/bin/sh\nexec '%s' --key %s \"\$@\"\n" "$program" "$key" >"$work/bin/share_data"
    chmod +x "$work/bin/share_data"
  fi
}

segment_is_there() { awk -v key=$((key)) '$1 == key { found = 1 } END { exit !found }' /proc/sysvipc/shm; }

clean_up() {
  local i
  in_tmux kill-server 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    segment_is_there || break
    sleep 0.1
  done
  ipcrm --shmem-key "$key" 2>/dev/null || true
  if [[ $experiment == count_sem_undo ]]; then ipcrm --semaphore-id "${bound[32769]-}" 2>/dev/null || true; fi
  rm -rf "$work"
}

# --- the experiments ---

two_count() {
  open 3
  run 1
  shows 1 joined
  run 2
  shows 2 joined
  shows 1 +
}

test_first_look() {
  open 3
  run 1
  shows 1 joined
  enter 2 'share_data'
  shows 1 '+ 4250'
  enter 3 'share_data'
  shows 1 '+ 4257'
  kill -KILL "${bound[4250]}"
  shows 1 'was killed'
  press 3 C-c
  shows 1 '- 4257'
  press 1 C-c
  all_show
}

test_ctrl_c() {
  two_count
  press 2 C-c
  all_show
}

test_kill_9() {
  two_count
  run 3
  shows 1 'was killed'
  shows 2 Killed
  run 2
  all_show
}

test_ctrl_z() {
  two_count
  press 2 C-z
  shows 2 Stopped
  run 3
  shows 3
  shows 1
  run 2
  all_show
}

test_closed_window() {
  two_count
  shows 2
  close 2
  shows 1
}

test_ipcrm() {
  open 2
  run 1
  shows 1 joined
  run 2
  run 2
  run 2
  shows 2 dest
  run 2
  all_show
}

test_two_hundred() {
  open 3
  run 1
  shows 1 joined
  run 2
  shows 1 '201 live'
  run 3
  shows 3
  press 2 C-c
  all_show
}

test_max_1() {
  open 2
  run 1
  shows 1
  run 2
  run 2
  all_show
}

test_explain() {
  two_count
  shows 1 sleeping
  run 3
  all_show
}

# The commands of docs/counts.md compile what they need.
test_count_nattch() {
  two_count
  run 3
  shows 3 2
  run 3
  shows 1 'was killed'
  shows 2 Killed
  run 3
  all_show
}

test_count_sem_undo() {
  open 3
  run 1
  run 1
  shows 1 says
  run 2
  shows 2 says
  run 3
  shows 2 Killed
  run 3
  shows 3 '0 '
  run 3
  run 3
  all_show
}

test_count_flock() {
  open 2
  run 1
  shows 1 '[1]'
  run 1
  shows 1 '[2]'
  run 1
  shows 1
  run 2
  eventually has_ended "${bound[4250]}"
  run 2
  shows 2 1
  run 2
  run 2
  all_show
}

has_ended() { ! kill -0 "$1" 2>/dev/null; }

test_count_pidfd() {
  open 3
  run 1
  shows 1 joined
  run 2
  run 2
  eventually is_watched
  run 3
  all_show
}

is_watched() { [[ $(ps -o comm= -t "$(in_tmux display-message -p -t t2 '#{pane_tty}')") == *pidfd* ]]; }

test_count_robust_mutex() {
  open 1
  run 1
  run 1
  all_show
}

test_status() {
  two_count
  run 3
  run 3
  all_show
}

windows_copied_exe() {
  # Under Wine 9, Ctrl+C also ends the process that draws the terminal, and the copy's last line gets lost.
  if [[ $("${wine[@]}" --version) == wine-9.* ]]; then echo "SKIPPED: Wine 9 does not show this"; exit 77; fi
  open 2
  run 1
  shows 1 joined
  run 2
  run 2
  shows 2 joined
  press 1 C-c
  press 2 C-c
  run 1
  shows 1 mapping
  shows 1 joined
  run 2
  all_show
}

# count_twice: the second of two sees both, and the first sees that it is killed.
count_twice() {
  open 3
  run 1
  run 1
  shows 1 ': 1'
  run 2
  shows 2
  shows 1 ': 2'
  run 3
  shows 1
}

windows_dll() {
  open 2
  run 1
  shows 1 joined
  run 2
  run 2
  all_show
}

windows_count_section_handles() { count_twice; }
windows_count_job_object() { count_twice; }

command -v tmux >/dev/null || { echo "experiments_test.sh: tmux is missing" >&2; exit 1; }
trap clean_up EXIT
read_page
set_up_commands
if ((${#wine[@]})); then "windows_$experiment"; else "test_$experiment"; fi
