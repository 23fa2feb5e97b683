"""The lines of --explain that a page quotes after `<!-- explain: NAME -->` are those of a real run: A, B and C start in
this order, and B is killed; or it leaves, if NAME says so. One of the three shows all of these lines, in this order.
"""

import re
import shutil
import subprocess

import pytest

from pages import ENGLISH, blocks, fail_with_diff, follow
from terminal import eventually


def all_explanations(config):
    """Those of the Windows program have `windows` in their names."""
    names = {name for page in ENGLISH for name, _ in blocks(page, "explain")}
    return sorted(name for name in names if ("windows" in name) == bool(config.option.exe))


class Copy:
    """A copy that writes both outputs into one file."""

    def __init__(self, command, file):
        self.file = file
        with file.open("w") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def text(self):
        return without_pids(self.file.read_text())

    def sleeps_after(self, event):
        eventually(self.text, re.compile(rf"{event}(.|\n)*\nsleeping [^\n]*\n\Z"))


def without_pids(text):
    """Without `[4242] ` at the beginning of lines: all of them come from one copy."""
    return re.sub(r"^\[\d+\] ", "", text, flags=re.MULTILINE)


@pytest.fixture
def command(program, key, request, tmp_path):
    """The Windows program counts by itself if it is another file."""
    if exe := request.config.option.exe:
        return [*program[:-1], shutil.copy(exe, tmp_path), "--explain", "--quiet"]
    return [*program, "--explain", "--quiet", "--key", key]


def run(command, folder, end) -> tuple[list, dict]:
    """What the three show, and the values of the page's pids. `end` ends B, whose pid it is given."""
    copies = []
    try:
        for number in 1, 2, 3:
            copies.append(Copy(command, folder / str(number)))
            for copy in copies:
                copy.sleeps_after(f" {number} live")
        pids = [re.search(r"\[(\d+)\].* joined", copy.file.read_text())[1] for copy in copies]
        end(pids[1])
        for copy in copies[0], copies[2]:
            copy.sleeps_after(" 2 live  [x-]")
    finally:
        for copy in copies:
            copy.process.terminate()
            copy.process.wait()
    return [copy.text().splitlines() for copy in copies], dict(zip(["4242", "4250", "4257"], pids))


def test_explain(explanation, command, tmp_path, request):
    kill = ["kill", "-INT" if "leave" in explanation else "-KILL"]
    if request.config.option.exe:
        kill = [*request.config.option.wine, "taskkill", "/f", "/pid"]
    for quoted in [lines for page in ENGLISH for name, lines in blocks(page, "explain") if name == explanation]:
        promised = [part for line in quoted for part in ("…", without_pids(line))]
        for _ in range(100):  # it is chance whether A or C is woken first
            shown, values = run(command, tmp_path, lambda pid: subprocess.run([*kill, pid], check=True))
            found = [follow(promised, lines, values)[0] for lines in shown]
            if len(promised) in found:
                break
        else:
            fail_with_diff(f"the pids are {values}", quoted, shown[found.index(max(found))])
