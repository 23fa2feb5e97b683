"""Does each experiment of the README and of the pages in docs/ in real terminals, as its reader would, and compares
what they show with what the page promises.

`<!-- experiment: NAME in terminals 1 2 1 -->` says where to type: the next line of terminal 1, then of 2, then of 1.
Without that, all of terminal 1 comes first, then all of 2. Lines are typed at rest, when nothing moves on any screen.
"""

import os
import re
import shlex
import shutil
import subprocess
import time

import pytest

from conftest import ENGLISH, TOP, Terminal, blocks, eventually, executable, processes_in

# What happens before and after what the page shows. If C is stopped (^Z), A is the one that the kernel wakes.
OTHERS = """
# terminal 2
$ share_data --quiet
17:03:23.410  [4250]     2 live  joined
…
# terminal 3
$ share_data --quiet
17:03:25.001  [4257]     3 live  joined
…
{}…
…
# terminal 4
$ kill -9 4250
"""
AROUND = {"death": ("$ share_data --explain --quiet\n…", OTHERS.format("^Z"))}

# Each run has other times and addresses. Pids, keys, ids, sizes and the user are names: each has another value in each
# run, but one throughout it. An ellipsis stands for the rest of a line, and on a line by itself for any lines.
VARIES = r"\d+(?::\d\d)+(?:\.\d+)?|\d+\.\d+|0x[0-9a-f]{9,}"
NAME = r"0x(?!0+\b)[0-9a-f]+|\d{4,}|\bada\b"
TOKEN = re.compile(f"(?P<varies>{VARIES})|(?P<name>{NAME})|(?P<rest>…)|(?P<space> +)|(?P<text>.)")

def pytest_generate_tests(metafunc):
    if "experiment" in metafunc.fixturenames:
        there = [(title, lines) for page in ENGLISH for title, lines in blocks(page, "experiment")]
        on_windows = bool(metafunc.config.option.exe)
        experiments = [one for one in there if any("wine " in line for line in one[1]) == on_windows]
        metafunc.parametrize("experiment", experiments, ids=[title.split()[0] for title, _ in experiments])

def pattern(lines, values) -> str:
    """A regular expression for these lines. What it finds for NAME is in its group nNAME."""
    names = set()

    def looks(token):
        kind, text = token.lastgroup, token[0]
        if kind != "name":
            return {"varies": f"(?:{VARIES})", "rest": ".*", "space": " +", "text": re.escape(text)}[kind]
        if text in values:
            return re.escape(values[text])
        is_new = text not in names
        names.add(text)
        return rf"(?P<n{text}>[\w.-]+)" if is_new else f"(?P=n{text})"

    return "".join(r"(?:.*\n)*?" if line == "…" else TOKEN.sub(looks, line) + "\n" for line in lines)

def is_typed(line):
    return re.match(r"\$ |\^[A-Z]", line)

class Window(Terminal):
    """A terminal of the transcript: the lines that the page promises to be in it, and how many have been seen."""

    def __init__(self, promised, **options):
        super().__init__(["bash", "--noprofile", "--norc", "--noediting"], **options)
        self.promised, self.seen, self.used = promised, 0, 0

    def look(self, values) -> dict:
        """Returns the values, with those that are new."""
        # Bash 5.3 adds the command to the line that says how it ended.
        text = re.sub(r"^(Killed|Terminated) .*", r"\1", self.text() + "\n", flags=re.MULTILINE)
        for self.seen in range(len(self.promised), -1, -1):
            end = r"(\$\n)?\Z" if self.seen == len(self.promised) else ""
            if match := re.match(pattern(self.promised[: self.seen], values) + end, text):
                self.used = match[0].count("\n")
                return values | {group[1:]: value for group, value in match.groupdict().items()}

    def next(self) -> str:
        """The line that is to be typed next, if the terminal is ready for it."""
        line = "".join(self.promised[self.seen : self.seen + 1])
        return line if is_typed(line) and (line[0] != "$" or self.lines()[-1:] == ["$"]) else ""

def do(windows, order) -> dict:
    """Types everything, and waits until everything is seen. Returns the values of the page's names."""
    values, awaited, quiet, deadline = {}, [], 0, time.monotonic() + 60
    while time.monotonic() < deadline and any(window.seen < len(window.promised) for window in windows):
        time.sleep(0.2)
        moves = any([window.read() for window in windows]) or re.search("[RD]", " ".join(processes_in(windows)))
        quiet = 0 if moves else quiet + 1
        if quiet < 3:
            continue
        for window in windows:
            values = window.look(values)
        if order and (line := order[0].next()) and all(name in values for name in awaited):
            window = order.pop(0)
            answer = "".join(window.promised[window.seen + 1 : window.seen + 2])
            awaited = [] if is_typed(answer) else [token["name"] for token in TOKEN.finditer(answer) if token["name"]]
            if line[0] == "$":
                window.child.send(re.sub(NAME, lambda name: values.get(name[0], name[0]), line[2:]) + "\r")
            else:
                window.child.send(chr(ord(line[1]) - 64))
            quiet, deadline = 0, time.monotonic() + 60
    return values

def prepare(folder, command, key, exe):
    """Makes this folder one like this repository, with the reader's commands in bin: ours count by themselves."""
    (folder / "bin").mkdir()
    for entry in "docs", "linux", "windows":
        (folder / entry).symlink_to(TOP / entry)
    if exe:
        for file in exe, exe.with_name("share_data_table.dll"):
            shutil.copy(file, folder)
        executable(folder / "bin/wine", f'case "$*" in *mapping*) set -- "$@" --name experiments-{key} ;; esac',
                   f'exec {shlex.join(command[:-1])} "$@"')
    else:
        executable(folder / "bin/share_data", f'exec {command[0]} --key {key} "$@"')

def test_experiment(experiment, tmp_path, program, key, request):
    title, lines = experiment
    name, _, order = title.partition(" in terminals ")
    if name == "copied_exe" and b"-9." in subprocess.check_output([*request.config.option.wine, "--version"]):
        pytest.skip("under Wine 9, Ctrl+C also ends what draws the terminal, and a copy's last line gets lost")
    prepare(tmp_path, program, key, request.config.option.exe)
    environment = {"PS1": "$ ", "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    before, after = AROUND.get(name, ("", ""))
    parts = re.split(r"^# terminal \d", "\n".join([before, *lines, after]), flags=re.MULTILINE)
    windows = [Window(re.findall(".+", part), cwd=tmp_path, env=environment) for part in parts if part.strip()]
    typed = [window for window in windows for line in window.promised if is_typed(line)]
    try:
        values = do(windows, [windows[int(number) - 1] for number in order.split()] or typed)
        names = {value: name for name, value in values.items() if len(value) > 3}
        for number, window in enumerate(windows, 1):
            as_on_page = [re.sub(r"[\w.-]+", lambda word: names.get(word[0], word[0]), line) for line in window.lines()]
            seen = window.promised[: window.seen] + as_on_page[window.used :]
            assert seen == window.promised, f"terminal {number}, with {values}"
    finally:
        for window in windows:
            window.close()
        eventually(lambda: processes_in(windows), [])
