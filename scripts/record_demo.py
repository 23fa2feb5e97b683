#!/usr/bin/python3
"""Records four real terminals that count each other, one of them killed, as an animated SVG. Nothing is made up.

Usage: scripts/record_demo.py build/release/linux/share_data docs/demo.svg
It needs tmux and termtosvg. A viewer that does not want motion stays on the last frame.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import time

TMUX = ["tmux", "-L", f"demo-{os.getpid()}", "-f", "/dev/null"]  # a server of our own
COLUMNS, LINES = 123, 22
LAST_FRAME = """@media (prefers-reduced-motion: reduce) {
  #screen_view { animation: roll 100s -99s steps(1, end) paused !important }
}"""


def tmux(*arguments):
    return subprocess.run([*TMUX, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def type_in(terminal, *keys):
    time.sleep(1)  # so that the times in the picture look like a person's
    tmux("send-keys", "-t", f"demo.{terminal}", *keys)


def wait_for(terminal, pattern):
    deadline = time.monotonic() + 30
    while not (found := re.search(pattern, tmux("capture-pane", "-p", "-t", f"demo.{terminal}"))):
        if time.monotonic() > deadline: raise TimeoutError(f"no '{pattern}' within 30 s")
        time.sleep(0.1)
    return found


def open_terminals(program):
    shell = "bash --noprofile --norc"
    tmux("new-session", "-d", "-s", "demo", "-x", str(COLUMNS), "-y", str(LINES), shell)
    for name, value in (("status", "off"), ("pane-base-index", "1"), ("pane-border-status", "top"),
                        ("pane-border-format", " terminal #{pane_index} ")):
        tmux("set-option", "-g", name, value)
    for _ in range(3):
        tmux("split-window", "-t", "demo", shell, ";", "select-layout", "-t", "demo", "tiled")
    # The function keeps the recording apart from copies that run anyway, and the lines short.
    command = f"share_data() {{ '{program}' --quiet --key {0x5f000000 | os.getpid()} \"$@\"; }}; PS1='$ '; clear"
    for terminal in range(1, 5):
        tmux("send-keys", "-t", f"demo.{terminal}", command, "Enter")


def play():
    for terminal in range(1, 5):
        type_in(terminal, "share_data", "Enter")
        wait_for(terminal, f"{terminal} live")
    type_in(4, "C-c")
    wait_for(1, "3 live  -")
    type_in(4, "kill -9 " + wait_for(3, r"\[(\d+)\]")[1])
    type_in(4, "Enter")
    wait_for(1, "was killed")
    type_in(4, "share_data --status", "Enter")
    time.sleep(6)


def play_and_end():
    try:
        play()
    finally:
        tmux("kill-server")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, picture = map(pathlib.Path, sys.argv[1:])
    open_terminals(program.resolve())
    threading.Thread(target=play_and_end).start()
    subprocess.run(["termtosvg", picture, "--screen-geometry", f"{COLUMNS}x{LINES}", "--min-frame-duration", "200",
                    "--loop-delay", "1", "--template", "window_frame", "--command", shlex.join([*TMUX, "attach"])],
                   check=True)
    picture.write_text(picture.read_text().replace("</style>", LAST_FRAME + "</style>", 1))
