"""What the tests of pages and scripts have in common. Against build/release: pytest-3 scripts/tests [-k kill_9]"""

import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import pexpect
import pyte
import pytest

TOP = Path(__file__).resolve().parents[2]
PAGES = {page: page.read_text() for page in sorted([*TOP.glob("README*.md"), *TOP.glob("docs/*.md")])}
ENGLISH = {page: text for page, text in PAGES.items() if not page.name.endswith(".zh-CN.md")}

def pytest_addoption(parser):
    parser.addoption("--build", type=Path, default=TOP / "build/release", help="where the Linux program was built")
    parser.addoption("--exe", type=Path, help="test the Windows program, this one")
    parser.addoption("--wine", type=shlex.split, default=["wine"], help="the command that runs it")

@pytest.fixture
def program(request) -> list[str]:
    option = request.config.option
    return [*option.wine, str(option.exe)] if option.exe else [str(option.build / "linux/share_data")]

@pytest.fixture
def key():
    """A key of our own, so that we count nobody else. What killed copies have left behind is removed at the end."""
    key = hex(0x6E000000 + os.getpid())
    yield key
    subprocess.run(["ipcrm", "--shmem-key", key], stderr=subprocess.DEVNULL)

def blocks(page, kind) -> list[tuple[str, list[str]]]:
    """The blocks of code that follow a line `<!-- KIND: NAME -->`: pairs of the name and the lines."""
    found = re.findall(rf"^<!-- {kind}: (.*) -->\n+```.*\n((?:(?!```).*\n)*)```$", PAGES[page], re.MULTILINE)
    return [(name, text.splitlines()) for name, text in found]

def run(*command, code=0, **options) -> str:
    """What the command says, which must end with this exit code."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == code, done.stdout
    return done.stdout

def executable(path, *commands):
    path.unlink(missing_ok=True)  # it may be a link to the real one
    path.write_text("#!/bin/sh\n" + "\n".join(commands) + "\n")
    path.chmod(0o755)

def eventually(look, expected, patience=60):
    deadline = time.monotonic() + patience
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert seen == expected

class Terminal:
    """A terminal in which a command runs. What it shows is what a person would see."""
    def __init__(self, command, columns=200, lines=120, env=None, **options):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "linux", "LC_ALL": "C.UTF-8", "NO_COLOR": "", **(env or {})}
        program, *arguments = map(str, command)
        self.child = pexpect.spawn(program, arguments, dimensions=(lines, columns), env=environment, **options)
        self.screen.write_process_input = self.child.send  # programs ask terminals what they are

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
        self.read()
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def text(self) -> str:
        return "\n".join(self.lines())

    def shows(self, pattern):
        eventually(lambda: pattern if re.search(pattern, self.text()) else self.text(), pattern)

    def ends(self, *codes) -> str:
        """Waits until the command ends, with one of these exit codes if there are any. Returns what it shows then."""
        eventually(lambda: self.read() or self.child.isalive(), False, patience=240)
        assert not codes or self.child.exitstatus in codes, self.text()
        return self.text()

    def close(self):
        """As closing the window does: the kernel hangs up. (child.close() would send signals, too.)"""
        self.read()
        if not self.child.closed:
            self.child.ptyproc.fileobj.close()
            self.child.closed = True

def processes_in(terminals) -> list[str]:
    """The state of each process that runs in one of them, as ps(1) shows it."""
    sessions = ",".join(str(terminal.child.pid) for terminal in terminals)
    ps = subprocess.run(["ps", "-o", "stat=", "--sid", sessions], stdout=subprocess.PIPE, text=True)
    return [state for state in ps.stdout.split() if state[0] != "Z"]
