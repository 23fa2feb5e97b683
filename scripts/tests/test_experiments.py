"""Does each experiment of the README and of the pages in docs/ in real terminals, as its reader would, and compares
what they show with what the page promises.

The transcript says what to type, and when. If what comes of it has a time, it is typed as soon as everything with an
earlier time has been seen; else when there is nothing else to do before. It is always typed at rest, when nothing moves
on any screen.
"""

import os
import re
import shlex
import shutil
import subprocess
import time

import pytest

from conftest import TOP
from pages import ENGLISH, NAME, blocks, fail_with_diff, follow
from terminal import Terminal, eventually

EXPERIMENTS = {name: lines for page in ENGLISH for name, lines in blocks(page, "experiment")}
CLOSED = "(the window is closed)"

# What happens in terminals that the page does not show.
ELSEWHERE = {
    "first_look": """
# terminal 2
$ share_data --quiet
17:03:23.410  [4250]     2 live  joined
17:03:25.001  [4250]     3 live  + 4257
Killed
# terminal 3
$ share_data --quiet
17:03:25.001  [4257]     3 live  joined
17:03:30.775  [4257]     2 live  x 4250 was killed (a plain ++/-- counter now says 3)
^C17:03:31.020  [4257]     1 live  left
# terminal 4
$ kill -9 4250
""",
    "closed_window": f"# terminal 2\n{CLOSED}",
}


def all_experiments(config):
    under_wine = [name for name, lines in EXPERIMENTS.items() if any("wine " in line for line in lines)]
    return under_wine if config.option.exe else [name for name in EXPERIMENTS if name not in under_wine]


def is_typed(line):
    return re.match(r"\$ |\^[A-Z]", line) or line == CLOSED


def moments(lines):
    """When each line comes, as far as the page tells: (time, 0) is typed then, (time, 1) is shown then, (time, 2) comes
    later. None: nobody knows.
    """
    last = None
    for i, line in enumerate(lines):
        typed_next = next((j for j in range(i + 1, len(lines)) if is_typed(lines[j])), len(lines))
        times = re.findall(r"\d\d:\d\d:\d\d\.\d{3}", "\n".join(lines[i:typed_next]))
        if times:
            last = times[0]
            yield last, 0 if is_typed(line) else 1
        else:
            yield (last, 2) if last else None


class Window:
    """A terminal of the transcript: what the page promises to be in it, and how far it is."""

    def __init__(self, lines, **options):
        self.lines, self.moments = lines, list(moments(lines))
        self.terminal = Terminal(["bash", "--noprofile", "--norc", "--noediting"], 200, 500, **options)
        self.seen = self.used = 0  # how many of the lines, and by how many lines on the screen
        self.typed, self.typed_at = -1, 0

    def shown(self):
        # Bash 5.3 adds the command to the line that says how it ended.
        return [re.sub(r"^(Killed|Terminated) .*", r"\1", line) for line in self.terminal.lines()]

    def look(self, values):
        if self.terminal.child.closed:
            return values
        self.seen, self.used, values = follow(self.lines, self.shown(), values)
        return values

    def is_complete(self):
        return self.seen == len(self.lines) and (self.terminal.child.closed or self.shown()[self.used :] in ([], ["$"]))

    def next(self):
        """The number of the line that is to be typed next, if the terminal is ready for it."""
        if self.typed < self.seen < len(self.lines) and is_typed(self.lines[self.seen]):
            if not self.lines[self.seen].startswith("$") or self.shown()[-1:] == ["$"]:
                return self.seen
        return None

    def type_next(self, values):
        line = self.lines[self.seen]
        self.typed, self.typed_at = self.seen, time.monotonic()
        if line == CLOSED:
            self.terminal.close()
            self.seen += 1
        elif line.startswith("$"):
            self.terminal.press(re.sub(NAME, lambda name: values.get(name[0], name[0]), line[2:]) + "\r")
        else:
            self.terminal.press(chr(ord(line[1]) - 64))

    def answers(self):
        """What has been typed is about to be answered. (If at all, before something else happens: wait a while.)"""
        answer = self.lines[self.typed + 1 : self.typed + 2]
        awaited = self.typed + (bool(answer) and answer != ["…"] and not is_typed(answer[0]))
        patience = 60 if "wine" in self.lines[self.typed] else 5
        return self.seen <= awaited and time.monotonic() < self.typed_at + patience


def choose(windows, values):
    """The terminal to type in, if it is time to."""
    if any(window.answers() for window in windows):
        return None
    shown_names = {name for window in windows for line in window.lines if not is_typed(line) for name in re.findall(NAME, line)}
    now = max((when[0] for window in windows for when in window.moments[: window.typed + 1] if when), default="")
    ready = []
    for number, window in enumerate(windows):
        i = window.next()
        if i is None or any(name in shown_names - values.keys() for name in re.findall(NAME, window.lines[i])):
            continue
        when = window.moments[i]
        unseen = [moment for other in windows for moment in other.moments[other.seen :] if moment]
        if not any(moment < (when or (now, 2)) for moment in unseen):
            ready.append((when is None, when, window.lines[i].startswith("^"), number))
    return windows[min(ready)[-1]] if ready else None


def rest(windows):
    quiet = 0
    while quiet < 5:
        time.sleep(0.1)
        quiet = quiet + 1 if all([window.terminal.is_quiet() for window in windows]) else 0


def do(windows):
    """Returns the values of the page's names."""
    values, deadline = {}, time.monotonic() + 60
    while time.monotonic() < deadline and not all(window.is_complete() for window in windows):
        rest(windows)
        for window in windows:
            values = window.look(values)
        if window := choose(windows, values):
            window.type_next(values)
            deadline = time.monotonic() + 60
    return values


def check(number, window, values):
    names = {value: name for name, value in values.items() if len(value) > 3}
    as_on_page = [re.sub(r"[\w.-]+", lambda word: names.get(word[0], word[0]), line) for line in window.shown()]
    if not window.is_complete():
        fail_with_diff(
            f"terminal {number}, with {values}", window.lines, window.lines[: window.seen] + as_on_page[window.used :])


def wine_version(option):
    return subprocess.run([*option.wine, "--version"], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def folder(tmp_path, program, key, request):
    """A folder like this repository, with the reader's commands in bin: ours count by themselves."""
    (tmp_path / "bin").mkdir()
    for entry in "docs", "linux", "windows":
        (tmp_path / entry).symlink_to(TOP / entry)
    exe = request.config.option.exe
    if exe:
        shutil.copy(exe, tmp_path)
        shutil.copy(exe.with_name("share_data_table.dll"), tmp_path)
        command, run = tmp_path / "bin/wine", f'case "$*" in *mapping*) set -- "$@" --name experiments-{key} ;; esac\n'
        run += f'exec {shlex.join(program[:-1])} "$@"'
    else:
        command, run = tmp_path / "bin/share_data", f'exec {program[0]} --key {key} "$@"'
    command.write_text(f"#!/bin/sh\n{run}\n")
    command.chmod(0o755)
    return tmp_path


def test_experiment(experiment, folder, request):
    if experiment == "copied_exe" and "wine-9." in wine_version(request.config.option):
        pytest.skip("under Wine 9, Ctrl+C also ends what draws the terminal, and a copy's last line gets lost")
    terminals, number = {}, 1
    for line in EXPERIMENTS[experiment] + ELSEWHERE.get(experiment, "").splitlines():
        if heading := re.match(r"# terminal (\d+)", line):
            number = int(heading[1])
        elif line:
            terminals.setdefault(number, []).append(line)
    path = f"{folder}/bin:{os.environ['PATH']}"
    windows = [Window(lines, cwd=folder, env={"PS1": "$ ", "PATH": path}) for lines in terminals.values()]
    try:
        values = do(windows)
        for number, window in zip(terminals, windows):
            check(number, window, values)
    finally:
        for window in windows:
            window.terminal.close()
        for window in windows:
            eventually(window.terminal.processes, [])
