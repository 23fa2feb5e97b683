#!/usr/bin/env python3
"""Records four real terminals that count, one of them killed, as an animated SVG.

Usage: scripts/record_demo.py SHARE_DATA OUTPUT.svg

tmux runs the program and is asked what its panes show; nothing is made up. Where the viewer does not want motion,
the picture stands still on its last frame.
"""

import html
import os
import re
import subprocess
import sys
import tempfile
import time

COLUMNS, ROWS = 60, 10
CELL_WIDTH, CELL_HEIGHT = 7.8, 17
PADDING, TITLE_HEIGHT, GAP = 10, 24, 14
SECONDS_PER_FRAME, SECONDS_LAST_FRAME = 1.1, 4.0
KEY = f"0x{0x5e000000 | os.getpid():x}"
SOCKET = f"record-{os.getpid()}"

COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}
STYLE = """
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #e6edf3;
         white-space: pre; }
  .title { font-size: 12px; fill: #8b949e; }
  .dim { fill: #8b949e; }
  .bold { font-weight: bold; }
"""


def tmux(*arguments: str) -> str:
    return subprocess.run(["tmux", "-L", SOCKET, *arguments], check=True, text=True, capture_output=True).stdout


def open_terminals(count: int, program: str) -> list[str]:
    # The alias keeps the recording apart from copies that run anyway, and the lines short.
    with tempfile.NamedTemporaryFile("w", suffix=".bashrc", delete=False) as startup:
        startup.write(f"PS1='$ '\nalias share_data='{program} --quiet --key {KEY}'\n")
    for number in range(count):
        tmux("-f", "/dev/null", "new-session", "-d", "-s", f"t{number}", "-x", str(COLUMNS), "-y", str(ROWS),
             f"bash --noprofile --rcfile {startup.name}", ";", "set-option", "-g", "status", "off")
        tmux("resize-window", "-t", f"t{number}", "-x", str(COLUMNS), "-y", str(ROWS))
    return [f"t{number}" for number in range(count)]


def wait_until_all_show(terminals: list[str], pattern: str) -> None:
    deadline = time.monotonic() + 30
    while not all(re.search(pattern, tmux("capture-pane", "-p", "-t", terminal)) for terminal in terminals):
        if time.monotonic() > deadline:
            sys.exit(f"record_demo: no '{pattern}' within 30 s")
        time.sleep(0.05)


def capture(terminals: list[str]) -> list[list[str]]:
    return [tmux("capture-pane", "-e", "-p", "-t", terminal).split("\n")[:ROWS] for terminal in terminals]


def record(program: str) -> list[list[list[str]]]:
    terminals = open_terminals(4, program)
    wait_until_all_show(terminals, r"\$")
    frames = [capture(terminals)]
    for number, terminal in enumerate(terminals):
        tmux("send-keys", "-t", terminal, "share_data", "Enter")
        wait_until_all_show(terminals[: number + 1], f"{number + 1} live")
        time.sleep(0.7)
        frames.append(capture(terminals))
    victim = re.search(r"\[(\d+)\]", tmux("capture-pane", "-p", "-t", terminals[2]))
    os.kill(int(victim.group(1)), 9)
    wait_until_all_show(terminals[:2] + terminals[3:], "was killed")
    wait_until_all_show(terminals[2:3], "Killed")
    frames.append(capture(terminals))
    time.sleep(0.7)
    tmux("send-keys", "-t", terminals[3], "C-c")
    wait_until_all_show(terminals[3:], "left")
    wait_until_all_show(terminals[:2], "2 live  -")
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
                     f'fill="#0d1117" stroke="#30363d"/>')
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
        sys.exit(__doc__)
    try:
        frames = record(os.path.abspath(sys.argv[1]))
    finally:
        subprocess.run(["tmux", "-L", SOCKET, "kill-server"], check=False)
    with open(sys.argv[2], "w", encoding="utf-8") as output:
        output.write(draw(frames))


if __name__ == "__main__":
    main()
