"""The two small programs of linux/lesson/, compiled by the command in their first lines."""

import ctypes
import random
import re
import signal
import subprocess
import time

import pytest

from conftest import TOP, eventually

NEW_USER, NEW_IPC = 0x10000000, 0x08000000
libc = ctypes.CDLL(None)

class Crowd:
    """Running copies of one program, which write into one file; in an IPC namespace of their own."""

    def __init__(self, name, folder):
        if libc.unshare(NEW_IPC) and libc.unshare(NEW_USER | NEW_IPC):
            pytest.skip("no IPC namespace of its own: the system refuses unshare(2)")
        command = re.search(rf"// +(g\+\+ .*) -o {name} && ", (TOP / f"linux/lesson/{name}.cpp").read_text())[1]
        subprocess.run([*command.split(), "-o", folder / name], cwd=TOP, check=True)
        self.program, self.copies, self.shown = folder / name, [], {}
        self.output, self.lines = (folder / "lines").open("a"), (folder / "lines").open()

    def start(self):
        self.copies.append(subprocess.Popen([self.program], stdout=self.output, stderr=self.output))

    def end(self, copy, how=signal.SIGKILL):
        copy.send_signal(how)
        copy.wait(60)
        self.copies.remove(copy)

    def last_counts(self):
        self.shown.update(re.findall(r"^\[(\d+)\] (\d+) live$", self.lines.read(), re.MULTILINE))
        return {copy.pid: self.shown.get(str(copy.pid)) for copy in self.copies}

    def all_show(self, count):
        eventually(self.last_counts, {copy.pid: str(count) for copy in self.copies})

    def fails(self, message):
        run = subprocess.run([self.program], stderr=subprocess.PIPE, text=True, timeout=60)
        assert (run.returncode, run.stderr) == (1, f"{self.program.name}: {message}\n")

@pytest.fixture
def crowd(request, tmp_path):
    crowd = Crowd(request.param, tmp_path)
    yield crowd
    for copy in crowd.copies[:]:
        crowd.end(copy)

@pytest.mark.parametrize("crowd", ["exact"], indirect=True)
def test_is_right_after_any_mix_of_starts_and_ends_and_says_when_it_is_full(crowd):
    chance = random.Random(seed := random.randrange(1 << 32))
    print("seed", seed)
    ways = [signal.SIGKILL] * 4 + [signal.SIGINT, signal.SIGTERM, signal.SIGSEGV, signal.SIGHUP]
    for _ in range(100):
        for _ in range(chance.randint(1, 30)):
            if not crowd.copies or len(crowd.copies) < 20 and chance.random() < 0.55:
                crowd.start()
            else:
                crowd.end(chance.choice(crowd.copies), chance.choice(ways))
            time.sleep(chance.choice([0, 0, chance.random() / 250]))  # some are killed while they start
        crowd.all_show(len(crowd.copies))
    while len(crowd.copies) < 100:
        crowd.start()
    crowd.all_show(100)
    crowd.fails("the table is full: 100 copies are running")

@pytest.mark.parametrize("crowd", ["counter"], indirect=True)
def test_is_right_after_ctrl_c_and_wrong_after_a_kill(crowd):
    for _ in range(3):
        crowd.start()
    crowd.all_show(3)
    for how in signal.SIGINT, signal.SIGKILL:
        crowd.end(crowd.copies[0], how)
        crowd.all_show(2)  # wrong after the kill: 1 is running

@pytest.mark.parametrize("crowd, key", [("counter", 88), ("exact", 89)], indirect=["crowd"])
def test_a_refused_call_is_named(crowd, key):
    libc.shmget(key, 1, 0o1600)  # IPC_CREAT: a segment that is too small
    crowd.fails("shmget: Invalid argument")
