"""Terminals to type in and to look at, and waiting for what they show."""

import os
import re
import subprocess
import time

import pexpect
import pyte
import pytest


class Terminal:
    """A terminal in which a command runs. What it shows is what a person would see on the screen, and above it."""

    def __init__(self, command, columns=130, lines=40, **options):
        self.screen = pyte.HistoryScreen(columns, lines, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "linux", "LC_ALL": "C.UTF-8", **options.pop("env", {})}
        for name in "NO_COLOR", "TMUX":
            environment.pop(name, None)
        command = [str(word) for word in command]
        self.child = pexpect.spawn(
            command[0], command[1:], dimensions=(lines, columns), timeout=60, env=environment, **options)
        self.child.delaybeforesend = None
        self.screen.write_process_input = self.child.send  # programs ask terminals what they are
        self.pid = self.child.pid

    def read(self) -> bool:
        """Takes what has come. Returns whether something has."""
        came = False
        try:
            while not self.child.closed:
                self.stream.feed(self.child.read_nonblocking(1 << 16, timeout=0))
                came = True
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass
        return came

    def lines(self) -> list[str]:
        """All lines that are not empty."""
        self.read()
        above = ["".join(line[i].data for i in range(self.screen.columns)) for line in self.screen.history.top]
        return [line.rstrip() for line in above + self.screen.display if line.strip()]

    def text(self) -> str:
        return "\n".join(self.lines())

    def press(self, keys: str):
        self.child.send(keys)

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self.child.setwinsize(lines, columns)

    def close(self):
        """As closing the window does: the kernel hangs up."""
        self.read()
        if not self.child.closed:
            self.child.ptyproc.fileobj.close()
            self.child.closed = True

    def exit_code(self):
        """None while it runs."""
        self.read()
        if self.child.isalive():
            return None
        self.read()
        return self.child.exitstatus

    def processes(self) -> list[str]:
        """The state of each process that runs in it, as ps(1) shows it."""
        ps = subprocess.run(["ps", "-o", "stat=", "--sid", str(self.pid)], capture_output=True, text=True, check=False)
        return [state for state in ps.stdout.split() if state[0] != "Z"]

    def is_quiet(self) -> bool:
        """Nothing has come since the last look, and each process sleeps."""
        return not self.read() and all(state[0] not in "RD" for state in self.processes())


def eventually(look, expected, patience=60):
    """Waits until look() returns what is expected, or a text in which that pattern is found."""
    deadline = time.monotonic() + patience
    while True:
        seen = look()
        found = expected.search(seen) if isinstance(expected, re.Pattern) else seen == expected
        if found:
            return found
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    if isinstance(expected, re.Pattern):
        pytest.fail(f"expected: {expected.pattern}\nseen:\n{seen}")
    assert seen == expected
