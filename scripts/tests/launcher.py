"""Starts launch_n.sh, and looks at what it started."""

import os
import re
import subprocess
from pathlib import Path

from conftest import TOP
from terminal import Terminal

LAUNCH = TOP / "scripts/launch_n.sh"
PROGRAM = TOP / "build/release/linux/share_data"  # the first launch builds it, if need be
PATIENCE = 240


class Launcher:
    """Starts launch_n.sh with copies of our own key, and ends what is left of it after the test."""

    def __init__(self, key, folder):
        self.key, self.folder = key, folder
        self.started = []
        self.environment = dict(os.environ)

    def terminal(self, *arguments, columns=130, lines=40) -> Terminal:
        terminal = Terminal([LAUNCH, *arguments, f"--key={self.key}"], columns, lines, env=self.environment)
        self.started.append(terminal)
        return terminal

    def background(self, *arguments, script=LAUNCH, output=None, **options) -> subprocess.Popen:
        """Without a terminal. What it says is in out() and err()."""
        with (self.folder / "out").open("w") as out, (self.folder / "err").open("w") as err:
            process = subprocess.Popen(
                [script, *arguments, f"--key={self.key}"], stdin=subprocess.DEVNULL, stdout=output or out, stderr=err,
                start_new_session=True, env=self.environment, **options)
        self.started.append(process)
        return process

    def out(self):
        return (self.folder / "out").read_text()

    def err(self):
        return (self.folder / "err").read_text()

    def status(self):
        return subprocess.run([PROGRAM, "--status", "--key", self.key], capture_output=True, text=True, check=False).stdout

    def live(self) -> int:
        return int(self.status().split()[0]) if PROGRAM.exists() and self.status() else 0

    def pids(self) -> list[int]:
        return [int(line.split()[0]) for line in self.status().splitlines()[2:]]

    def left(self) -> list[str]:
        """What is left as far as the processes and the kernel can tell."""
        left = []
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = process.read_text().replace("\0", " ")
            except OSError:
                continue  # it has just ended
            if re.search(rf"linux/share_data .*--key={self.key}", command):
                left.append(f"process {process.parent.name}: {command}")
        segments = Path("/proc/sysvipc/shm").read_text().splitlines()
        return left + [segment for segment in segments if segment.split()[0] == str(int(self.key, 16))]


def executable(path, *commands):
    path.write_text("#!/bin/sh\n" + "\n".join(commands) + "\n")
    path.chmod(0o755)
