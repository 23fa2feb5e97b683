#!/usr/bin/python3
"""Records four real terminals that count each other, one of them killed, as an animated SVG. Nothing is made up.

Usage: scripts/record_demo.py build/release/linux/share_data docs/demo.svg
It needs python3-pexpect and python3-pyte. A viewer that does not want motion stays on the last frame.
"""
import html
import itertools
import os
import pathlib
import re
import sys
import time

import pexpect
import pyte

COLUMNS, ROWS, ROW_HEIGHT = 61, 10, 17
WIDTH, HEIGHT = COLUMNS * 7.8 + 20, ROWS * ROW_HEIGHT + 44
SECONDS_PER_FRAME, SECONDS_LAST_FRAME = 1.2, 6.0
STYLE = """
  text { font: 13px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #e6edf3; white-space: pre; }
  .title { font-size: 12px; fill: #8b949e; } .bold { font-weight: bold; }
  .red { fill: #ff7b72; } .green { fill: #7ee787; } .brown { fill: #e3b341; } .magenta { fill: #8b949e; }
  @media (prefers-reduced-motion: reduce) { g { animation: none !important } }
"""
WINDOW = """<g transform="translate({x:.1f} {y:.1f})">
<rect width="{width:.1f}" height="{height:.1f}" rx="8" fill="#0d1117" stroke="#444c56"/>
<path d="M0 26 v-18 a8 8 0 0 1 8 -8 h{inner:.1f} a8 8 0 0 1 8 8 v18 z" fill="#21262d" stroke="#444c56"/>
<circle cx="14" cy="13" r="4.5" fill="#ff5f57"/><circle cx="29" cy="13" r="4.5" fill="#febc2e"/>
<circle cx="44" cy="13" r="4.5" fill="#28c840"/>
<text class="title" x="{middle:.1f}" y="17" text-anchor="middle">terminal {number}</text>
</g>"""


class Terminal:
    def __init__(self, program):
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.Stream(self.screen)
        self.shell = pexpect.spawn("bash", ["--noprofile", "--norc"], dimensions=(ROWS, COLUMNS), encoding="utf-8",
                                   env={**os.environ, "TERM": "linux", "PS1": "$ "})
        # The function keeps the recording apart from copies that run anyway, and the lines short.
        self.shell.sendline(f"share_data() {{ '{program}' --quiet --key {0x5f000000 | os.getpid()} \"$@\"; }}; clear")

    def wait_for(self, pattern):
        deadline = time.monotonic() + 30
        while not (found := re.search(pattern, "\n".join(line.rstrip() for line in self.screen.display))):
            if time.monotonic() > deadline: sys.exit(f"record_demo.py: no '{pattern}' within 30 s")
            try:  # pyte knows no dim text
                self.stream.feed(self.shell.read_nonblocking(1 << 16, 0.05).replace("\x1b[2m", "\x1b[35m"))
            except pexpect.TIMEOUT:
                pass
        return found

    def type(self, keys):
        time.sleep(0.7)  # so that the times in the picture look like a person's
        self.shell.send(keys)

    def lines(self):  # as SVG
        for row in range(ROWS):
            cells = [self.screen.buffer[row][column] for column in range(COLUMNS)]
            spans = []
            for (bold, color), run in itertools.groupby(cells, lambda cell: (cell.bold, cell.fg)):
                text, style = html.escape("".join(cell.data for cell in run)), "bold" if bold else color
                spans.append(text if style == "default" else f'<tspan class="{style}">{text}</tspan>')
            yield "".join(spans).rstrip()


# Returns the frames: what the four show after each step.
def record(program):
    terminals = first, second, third, fourth = [Terminal(program) for _ in range(4)]
    frames = []

    def step(*expected):
        for terminal, pattern in expected: terminal.wait_for(pattern)
        frames.append([list(terminal.lines()) for terminal in terminals])

    step(*((terminal, r"^\$") for terminal in terminals))
    for number, terminal in enumerate(terminals, 1):
        terminal.type("share_data\r")
        step(*((other, f"{number} live") for other in terminals[:number]))
    fourth.type("\x03")
    step((fourth, r"left\n\$"), *((other, "3 live  -") for other in (first, second, third)))
    command = "kill -9 " + third.wait_for(r"\[(\d+)\]")[1]
    fourth.type(command)
    step((fourth, command))
    fourth.type("\r")
    step((first, r"was killed(?s:.*)\)"), (second, r"was killed(?s:.*)\)"), (third, r"Killed\s+\$"))
    fourth.type("share_data --status\r")
    step((fourth, r"2 live\n(.*\n){3}\$"))
    return frames


def draw(frames):
    corners = [(column * (WIDTH + 14), row * (HEIGHT + 14)) for row in range(2) for column in range(2)]
    rules, groups, total = [], [], SECONDS_PER_FRAME * (len(frames) - 1) + SECONDS_LAST_FRAME
    for name, seconds in ("frame", SECONDS_PER_FRAME), ("last", SECONDS_LAST_FRAME):
        rules.append(f"@keyframes {name} {{ 0%, {100 * seconds / total:.2f}% {{ opacity: 1 }} "
                     f"{100 * seconds / total + 0.01:.2f}%, 100% {{ opacity: 0 }} }}")
    for number, frame in enumerate(frames):
        is_last = frame is frames[-1]
        rules.append(f"#f{number} {{ opacity: {int(is_last)}; animation: {'last' if is_last else 'frame'} {total:.1f}s "
                     f"{number * SECONDS_PER_FRAME - total:.1f}s infinite; }}")
        texts = [f'<text x="{x + 10:.1f}" y="{y + 47 + row * ROW_HEIGHT:.1f}" xml:space="preserve">{line}</text>'
                 for (x, y), screen in zip(corners, frame) for row, line in enumerate(screen) if line]
        groups.append(f'<g id="f{number}">\n' + "\n".join(texts) + "\n</g>")
    windows = [WINDOW.format(x=x, y=y, width=WIDTH, height=HEIGHT, inner=WIDTH - 16, middle=WIDTH / 2, number=number)
               for number, (x, y) in enumerate(corners, 1)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {2 * WIDTH + 16:.0f} {2 * HEIGHT + 16:.0f}" '
        'role="img" aria-label="Four terminals that count each other; one is killed, the others show it at once">',
        f"<style>{STYLE}" + "\n".join(rules) + "</style>", *windows, *groups, "</svg>\n"])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[2]).write_text(draw(record(os.path.abspath(sys.argv[1]))), encoding="utf-8")
