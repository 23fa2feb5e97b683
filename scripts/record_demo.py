#!/bin/sh
"""true"
command -v python3 >/dev/null || { echo "record_demo.py: python3 is missing; install it and start again" >&2; exit 1; }
exec python3 "$0" "$@"
"""
# To the shell, the lines above are commands; to Python, a string that nobody uses.

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

USAGE = """Records four real terminals that count each other, one of them killed, as an animated SVG.

Usage: scripts/record_demo.py SHARE_DATA OUTPUT.svg
Example: scripts/record_demo.py build/release/linux/share_data docs/demo.svg

tmux runs the program and is asked what its panes show; nothing is made up. Where the viewer does not want motion,
the picture stands still on its last frame.
"""

COLUMNS, ROWS = 61, 10
CELL_WIDTH, CELL_HEIGHT = 7.8, 17
PADDING, TITLE_HEIGHT, GAP = 10, 24, 14
SECONDS_PER_FRAME, SECONDS_LAST_FRAME = 1.2, 6.0
KEY = f"0x{0x5f000000 | os.getpid():x}"
HOME = tempfile.TemporaryDirectory(prefix="record_demo-")

COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}
STYLE = """
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #e6edf3;
         white-space: pre; }
  .title { font-size: 12px; fill: #8b949e; }
  .dim { fill: #8b949e; }
  .bold { font-weight: bold; }
"""


def tmux(*arguments: str) -> str:
    """In a server of our own, whose socket lies with our other files and goes away with them."""
    command = ["tmux", "-S", os.path.join(HOME.name, "socket"), *arguments]
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def open_terminals(count: int, program: str) -> list[str]:
    # The function keeps the recording apart from copies that run anyway, and the lines short.
    startup = os.path.join(HOME.name, "bashrc")
    with open(startup, "w", encoding="utf-8") as file:
        file.write(f"PS1='$ '\nshare_data() {{ '{program}' --quiet --key {KEY} \"$@\"; }}\n")
    for number in range(count):
        tmux("-f", "/dev/null", "new-session", "-d", "-s", f"t{number}", "-x", str(COLUMNS), "-y", str(ROWS),
             f"bash --noprofile --rcfile {startup}", ";", "set-option", "-g", "status", "off")
        tmux("resize-window", "-t", f"t{number}", "-x", str(COLUMNS), "-y", str(ROWS))
    return [f"t{number}" for number in range(count)]


def screen(terminal: str) -> str:
    return tmux("capture-pane", "-p", "-J", "-t", terminal)


def wait_until_all_show(terminals: list[str], pattern: str) -> None:
    deadline = time.monotonic() + 30
    while not all(re.search(pattern, screen(terminal)) for terminal in terminals):
        if time.monotonic() > deadline:
            sys.exit(f"record_demo: no '{pattern}' within 30 s")
        time.sleep(0.05)


def capture(terminals: list[str]) -> list[list[str]]:
    return [tmux("capture-pane", "-e", "-p", "-t", terminal).split("\n")[:ROWS] for terminal in terminals]


def record(program: str) -> list[list[list[str]]]:
    terminals = open_terminals(4, program)
    wait_until_all_show(terminals, r"\$")
    frames = [capture(terminals)]

    def type_into(terminal: str, *keys: str) -> None:
        time.sleep(0.7)  # so that the times in the picture look like a person's
        tmux("send-keys", "-t", terminal, *keys)

    for number, terminal in enumerate(terminals):
        type_into(terminal, "share_data", "Enter")
        wait_until_all_show(terminals[: number + 1], f"{number + 1} live")
        frames.append(capture(terminals))
    first, second, third, fourth = terminals

    type_into(fourth, "C-c")
    wait_until_all_show([fourth], r"left\n\$")
    wait_until_all_show([first, second, third], "3 live  -")
    frames.append(capture(terminals))

    victim = re.search(r"\[(\d+)\]", screen(third)).group(1)
    type_into(fourth, f"kill -9 {victim}")
    wait_until_all_show([fourth], f"kill -9 {victim}")
    frames.append(capture(terminals))
    type_into(fourth, "Enter")
    wait_until_all_show([first, second], r"was killed \(.*\)")
    wait_until_all_show([third], r"Killed\s+\$")
    frames.append(capture(terminals))

    type_into(fourth, "share_data --status", "Enter")
    wait_until_all_show([fourth], r"2 live\n(.*\n){3}\$")
    frames.append(capture(terminals))
    return frames


def spans(line: str) -> str:
    """A line of `capture-pane -e` as SVG: the few escape sequences that the program uses."""
    parts, style = [], {"class": "", "fill": ""}
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if not code:
            attributes = "".join(f' {name}="{value}"' for name, value in style.items() if value)
            parts.append(f"<tspan{attributes}>{html.escape(piece)}</tspan>" if attributes else html.escape(piece))
            continue
        for number in code.group(1).split(";"):
            if number in ("", "0"):
                style = {"class": "", "fill": ""}
            elif number in ("1", "2"):
                style["class"] = "bold" if number == "1" else "dim"
            elif number == "22":
                style["class"] = ""
            elif number == "39":
                style["fill"] = ""
            elif number in COLORS:
                style["fill"] = COLORS[number]
    return "".join(parts)


def terminal_at(index: int) -> tuple[float, float, float, float]:
    width = COLUMNS * CELL_WIDTH + 2 * PADDING
    height = ROWS * CELL_HEIGHT + 2 * PADDING + TITLE_HEIGHT
    return (index % 2) * (width + GAP), (index // 2) * (height + GAP), width, height


def draw_text(frame: list[list[str]]) -> str:
    lines = []
    for index, screen in enumerate(frame):
        left, top, _, _ = terminal_at(index)
        for row, line in enumerate(screen):
            if line.strip():
                y = top + TITLE_HEIGHT + PADDING + (row + 0.75) * CELL_HEIGHT
                lines.append(f'<text x="{left + PADDING:.1f}" y="{y:.1f}" xml:space="preserve">{spans(line)}</text>')
    return "\n".join(lines)


def draw_windows() -> str:
    drawn = []
    for index in range(4):
        left, top, width, height = terminal_at(index)
        drawn.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="8" '
                     f'fill="#0d1117" stroke="#444c56"/>')
        drawn.append(f'<path d="M{left:.1f} {top + TITLE_HEIGHT + 2:.1f} v-18 a8 8 0 0 1 8 -8 h{width - 16:.1f} '
                     f'a8 8 0 0 1 8 8 v18 z" fill="#21262d" stroke="#444c56"/>')
        for dot, color in enumerate(("#ff5f57", "#febc2e", "#28c840")):
            drawn.append(f'<circle cx="{left + 14 + dot * 15:.1f}" cy="{top + 13:.1f}" r="4.5" fill="{color}"/>')
        drawn.append(f'<text class="title" x="{left + width / 2:.1f}" y="{top + 17:.1f}" '
                     f'text-anchor="middle">terminal {index + 1}</text>')
    return "\n".join(drawn)


def animation(count: int) -> str:
    total = SECONDS_PER_FRAME * (count - 1) + SECONDS_LAST_FRAME
    rules = []
    for number in range(count):
        start = 100 * number * SECONDS_PER_FRAME / total
        end = 100 if number == count - 1 else 100 * (number + 1) * SECONDS_PER_FRAME / total
        before = f"0%, {start - 0.01:.2f}% {{ opacity: 0 }} " if number else ""
        after = f" {end + 0.01:.2f}%, 100% {{ opacity: 0 }}" if number < count - 1 else ""
        rules.append(f"@keyframes f{number} {{ {before}{start:.2f}%, {end:.2f}% {{ opacity: 1 }}{after} }}")
        still = "1" if number == count - 1 else "0"
        rules.append(f"#f{number} {{ opacity: {still}; animation: f{number} {total:.1f}s infinite; }}")
    return "\n".join(rules) + "\n@media (prefers-reduced-motion: reduce) { g { animation: none !important } }"


def draw(frames: list[list[list[str]]]) -> str:
    left, top, width, height = terminal_at(3)
    groups = "\n".join(f'<g id="f{number}">\n{draw_text(frame)}\n</g>' for number, frame in enumerate(frames))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {left + width + 2:.0f} {top + height + 2:.0f}" '
            f'role="img" aria-label="Four terminals that count each other; one is killed, the others show it at once">'
            f"\n<style>{STYLE}{animation(len(frames))}</style>\n{draw_windows()}\n{groups}\n</svg>\n")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(USAGE)
    for tool in ("tmux", "bash"):
        if not shutil.which(tool):
            sys.exit(f"record_demo.py: {tool} is missing; install it and start again")
    program = os.path.abspath(sys.argv[1])
    if not os.access(program, os.X_OK):
        sys.exit(f"record_demo.py: there is no program {program}; build it first")
    with HOME:
        try:
            frames = record(program)
        finally:
            tmux("kill-server")
    with open(sys.argv[2], "w", encoding="utf-8") as output:
        output.write(draw(frames))


if __name__ == "__main__":
    main()
