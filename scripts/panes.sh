# The copies of `launch_n.sh --panes`: what launch_n.sh does in one terminal, done in panes of tmux. Sourced, not run.
# shellcheck shell=bash disable=SC2154  # launch_n.sh sets the variables

pane_columns=18  # the smallest pane that still shows a line, wrapped
pane_lines=3

# Panes are laid out as tmux tiles them, each below a line with its title; the last line is the status line.
check_terminal() {
  local down=1 across=1
  if [[ ! -t 0 ]]; then { exec </dev/tty; } 2>/dev/null || die 1 "--panes needs a terminal"; fi
  if command -v tput >/dev/null && [[ ! $(tput clear 2>/dev/null) ]]; then
    die 1 "--panes needs a terminal that can place its text, and TERM is '${TERM-}': set it to what your terminal is"
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
}

in_tmux() { tmux -L "share_data-$$" "$@"; }  # a server of our own

# panes FORMAT [OPTION]...: a line for each pane.
panes() { in_tmux list-panes -s -t share_data -F "$@"; }

# Shows the panes until all copies have ended, or Ctrl+C, or the terminal is closed.
run_copies() {
  # Some versions of tmux forget the pid of a process that has ended: keep it as an option of its pane.
  # shellcheck disable=SC2016  # for the shell in the pane
  local copy=(sh -c 'tmux set-option -p -t "$TMUX_PANE" @pid $$; exec "$@"' sh "${program[@]}" "${options[@]}") i
  export LAUNCHER=$$
  in_tmux -f scripts/panes.tmux.conf new-session -d -s share_data -x "$columns" -y "$lines" -- "${copy[@]}"
  for ((i = 1; i < copies; i++)); do
    in_tmux split-window -t share_data -- "${copy[@]}" \; select-layout -t share_data tiled
  done
  in_tmux select-pane -t 'share_data:.{top-left}'
  # In the background, or bash would react to no signal. If all copies have ended already, there is nothing to show.
  env -u TMUX tmux -L "share_data-$$" attach-session -t share_data \; \
    if-shell -F '#{P:#{?pane_dead,,live}}' '' detach-client <&0 >/dev/null &
  client=$!
  wait "$client" || die 1 "tmux cannot show the panes in this terminal (TERM is '${TERM-}')"
}

running() { panes '#{pane_pid}' -f '#{==:#{pane_dead},0}' 2>/dev/null || true; }

# Gives the terminal back, and says how each copy left, or what it complained about.
report_copies() {
  local pane pid code last
  while panes '#{pane_dead_status}#{pane_dead_signal}' | grep --quiet '^$'; do sleep 0.1; done
  in_tmux detach-client -s share_data 2>/dev/null || true
  wait "${client-}" 2>/dev/null || true  # without a pid, bash 5.3 may wait for ever
  while read -r pane pid code; do
    last=$(in_tmux capture-pane -p -J -S - -t "$pane" | sed '/^$/d' | tail -n "$((code == 0 ? 1 : 3))") || true
    # A copy that ends hangs up its terminal, and the kernel may throw away what it wrote last.
    [[ $code != 0 || $last == *' left'* ]] || last="copy $pid left"
    printf '%s\n' "$last"
    report "$pid" "$code"
  done < <(panes '#{pane_id} #{@pid} #{?pane_dead_signal,#{e|+:128,#{pane_dead_signal}},#{pane_dead_status}}')
  close_panes
}

close_panes() {
  local socket
  socket=$(in_tmux display-message -p '#{socket_path}')
  in_tmux kill-server
  rm -f "$socket"
}
