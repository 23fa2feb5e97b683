"""The two small programs of linux/lesson/, each compiled by the command in its first lines."""

import ctypes
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest

from conftest import TOP

LESSON = TOP / "linux/lesson"
NEW_USER, NEW_IPC = 0x10000000, 0x08000000
libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="session", autouse=True)
def own_ipc_namespace():
    if libc.unshare(NEW_IPC) and libc.unshare(NEW_USER | NEW_IPC):
        pytest.skip("no IPC namespace of its own: the system refuses unshare(2)")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiles a small program as its first lines say, and returns the path of the result."""

    def compile_program(name):
        command = re.search(rf"^//   (g\+\+ .*) -o {name} && ", (LESSON / f"{name}.cpp").read_text(), re.M)[1]
        target = tmp_path_factory.mktemp(name) / name
        subprocess.run([*command.split(), "-o", target], cwd=TOP, check=True)
        return target

    return {name: compile_program(name) for name in ("counter", "exact")}


class Crowd:
    """Running copies of one program, each with its last line."""

    def __init__(self, program, folder):
        self.program, self.folder, self.copies, self.number = program, folder, {}, 0

    def start(self):
        self.number += 1
        output = (self.folder / str(self.number)).open("w+")
        copy = subprocess.Popen([self.program], stdout=output, stderr=output)
        self.copies[copy] = output
        return copy

    def end(self, copy, how=signal.SIGKILL):
        copy.send_signal(how)
        copy.wait(60)
        del self.copies[copy]

    def last_lines(self):
        lines = {copy: pathlib.Path(output.name).read_text().splitlines() for copy, output in self.copies.items()}
        return {copy.pid: seen[-1] if seen else "" for copy, seen in lines.items()}

    def all_show(self, count):
        """Waits until each copy shows this count."""
        expected = {copy.pid: f"[{copy.pid}] {count} live" for copy in self.copies}
        deadline = time.monotonic() + 60
        while self.last_lines() != expected and time.monotonic() < deadline:
            time.sleep(0.002)
        assert self.last_lines() == expected


@pytest.fixture
def crowd(compiled, tmp_path, request):
    crowd = Crowd(compiled[request.param], tmp_path)
    yield crowd
    for copy in list(crowd.copies):
        crowd.end(copy)


exact = pytest.mark.parametrize("crowd", ["exact"], indirect=True)
counter = pytest.mark.parametrize("crowd", ["counter"], indirect=True)


@exact
def test_exact_is_right_after_any_mix_of_starts_and_kills(crowd):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(300):
        for _ in range(chance.randint(1, 30)):
            if not crowd.copies or len(crowd.copies) < 20 and chance.random() < 0.55:
                crowd.start()
            else:
                crowd.end(chance.choice(list(crowd.copies)))
            time.sleep(chance.choice([0, 0, chance.random() / 250]))  # some are killed while they start
        crowd.all_show(len(crowd.copies))


@exact
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGSEGV, signal.SIGHUP])
def test_exact_needs_no_handler(crowd, how):
    crowd.start()
    other = crowd.start()
    crowd.all_show(2)
    crowd.end(other, how)
    crowd.all_show(1)


@exact
def test_exact_counts_100_copies_and_says_when_the_table_is_full(crowd):
    for _ in range(100):
        crowd.start()
    crowd.all_show(100)
    full = subprocess.run([crowd.program], capture_output=True, text=True, timeout=60)
    assert (full.returncode, full.stderr) == (1, "exact: the table is full: 100 copies are running\n")
    for copy in list(crowd.copies):
        copy.kill()
    for copy in list(crowd.copies):
        crowd.end(copy)
    crowd.start()
    crowd.all_show(1)


@pytest.mark.parametrize("name, key", [("counter", 88), ("exact", 89)])
def test_a_refused_call_is_named(compiled, name, key):
    libc.shmctl(libc.shmget(key, 0, 0), 0, None)  # IPC_RMID
    segment = libc.shmget(key, 1, 0o1600)  # IPC_CREAT: a segment that is too small
    refused = subprocess.run([compiled[name]], capture_output=True, text=True, timeout=60)
    libc.shmctl(segment, 0, None)
    assert (refused.returncode, refused.stderr) == (1, f"{name}: shmget: Invalid argument\n")


@counter
def test_counter_is_right_after_ctrl_c_and_wrong_after_a_kill(crowd):
    copies = [crowd.start() for _ in range(3)]
    crowd.all_show(3)
    crowd.end(copies[0], signal.SIGINT)
    crowd.all_show(2)
    crowd.end(copies[1])
    crowd.start()
    crowd.all_show(3)  # though 2 are running
