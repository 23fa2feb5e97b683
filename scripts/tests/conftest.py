"""What the tests of pages and scripts have in common.

All of them, against build/release:    pytest-3 scripts/tests
One of them:                           pytest-3 scripts/tests -k kill_9
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("terminal")

TOP = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--build", type=Path, default=TOP / "build/release", help="where the Linux program was built")
    parser.addoption("--exe", type=Path, help="test the Windows program, this one")
    parser.addoption("--wine", type=shlex.split, default=["wine"], help="the command that runs it")


def pytest_generate_tests(metafunc):
    """A test function with an argument that its module has a function `all_ARGUMENTs` for is run with each of these."""
    for name in metafunc.fixturenames:
        if values := getattr(metafunc.module, f"all_{name}s", None):
            metafunc.parametrize(name, values(metafunc.config))


@pytest.fixture
def program(request) -> list[str]:
    """The command that starts share_data."""
    if exe := request.config.option.exe:
        return [*request.config.option.wine, str(exe)]
    return [str(request.config.option.build / "linux/share_data")]


@pytest.fixture
def key():
    """A key of our own, so that we count nobody else. What killed copies have left behind is removed at the end."""
    key = hex(0x6E000000 + os.getpid())
    yield key
    subprocess.run(["ipcrm", "--shmem-key", key], stderr=subprocess.DEVNULL, check=False)


@pytest.fixture
def launch(key, tmp_path):
    """Ends what is left of it after the test."""
    from launcher import Launcher
    from terminal import Terminal, eventually

    launcher = Launcher(key, tmp_path)
    yield launcher
    for started in launcher.started:
        if isinstance(started, Terminal):
            started.close()
        elif started.poll() is None:
            started.terminate()
    eventually(launcher.left, [])
