"""What the tests of pages and scripts have in common.

All of them, against build/release:    pytest-3 scripts/tests
One of them:                           pytest-3 scripts/tests -k kill_9
"""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

pytest.register_assert_rewrite("terminal")
TOP = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--build", type=Path, default=TOP / "build/release", help="where the Linux program was built")
    parser.addoption("--exe", type=Path, help="test the Windows program, this one")
    parser.addoption("--wine", type=shlex.split, default=["wine"], help="the command that runs it")


@pytest.fixture
def build(request) -> Path:
    return request.config.option.build


@pytest.fixture
def program(request, build) -> list[str]:
    """The command that starts share_data."""
    exe = request.config.option.exe
    return [*request.config.option.wine, str(exe)] if exe else [str(build / "linux/share_data")]


@pytest.fixture
def key():
    """A key of our own, so that we count nobody else. What killed copies have left behind is removed at the end."""
    key = hex(0x6E000000 + os.getpid())
    yield key
    subprocess.run(["ipcrm", "--shmem-key", key], stderr=subprocess.DEVNULL)


def executable(path, *commands):
    path.unlink(missing_ok=True)  # it may be a link to the real one
    path.write_text("#!/bin/sh\n" + "\n".join(commands) + "\n")
    path.chmod(0o755)
