"""Starts the scripts for real, in terminals and without, on various systems, and presses keys there."""

import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from conftest import TOP, Terminal, eventually, executable, run

NOTHING_LEFT = "launch_n.sh: nothing left behind"

class Launcher:
    """Starts launch_n.sh with copies of our own key in a terminal: launch("3 --panes -- --for=1")."""

    def __init__(self, key, program):
        self.key, self.program, self.script = key, program, TOP / "scripts/launch_n.sh"
        self.terminals, self.environment = [], {}

    def __call__(self, arguments, redirections="", **options) -> Terminal:
        separator = "" if " -- " in arguments else "--"
        command = f"exec {shlex.quote(str(self.script))} {arguments} {separator} --key={self.key} {redirections}"
        self.terminals.append(Terminal(["bash", "-c", command], env=self.environment, **options))
        return self.terminals[-1]

    def started(self, copies) -> list[int]:
        """Waits until so many copies run, and returns their pids."""
        status = [*self.program, "--status", "--json", "--key", self.key]
        pids = lambda: [copy["pid"] for copy in json.loads(subprocess.check_output(status))["instances"]]
        eventually(lambda: len(pids()), copies, patience=240)  # the first launch builds the program, if need be
        return pids()

    def left(self) -> str:
        """The processes and the segment that are left, as the system knows them."""
        command = f"pgrep -fa '[l]inux/share_data .*--key={self.key}'; ipcs -m | grep {self.key}"
        return subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True).stdout

@pytest.fixture
def launch(key, program):
    launcher = Launcher(key, program)
    yield launcher
    for terminal in launcher.terminals:
        terminal.close()
    eventually(launcher.left, "")

@pytest.mark.parametrize("how", ["keys", "close", "HUP", "QUIT", "INT", "KILL"])
@pytest.mark.parametrize("option", ["", " --panes"], ids=["terminal", "panes"])
def test_no_copy_outlives_its_launcher(launch, option, how):
    """Not even a copy that is stopped. SIGINT works, too, although a script's background ignores it."""
    ignore = (lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if how == "INT" else None
    for _ in range(5 if how == "keys" else 1):  # a copy may end just when bash reacts to the signal
        terminal = launch(f"3{option}", preexec_fn=ignore, lines=40)
        copy = launch.started(3)[0]
        terminal.shows(r"Ctrl\+C:? stop")
        if how == "keys":
            os.kill(copy, signal.SIGSTOP)
            terminal.child.send("\x03")
        elif how == "close":
            terminal.close()
        else:
            terminal.child.kill(getattr(signal, f"SIG{how}"))
        if how not in ("close", "KILL"):
            assert len(re.findall(r" left\b(?! behind)", terminal.ends(0))) == 3, terminal.text()
            assert (terminal.lines()[-1], launch.left()) == (NOTHING_LEFT, "")

def test_a_signal_at_any_moment_of_the_start_stops_all(launch):
    for _ in range(12):
        terminal = launch("20")
        time.sleep(random.uniform(0, 0.4))
        terminal.child.kill(signal.SIGTERM)
        terminal.ends()
        assert launch.left() == ""

def test_killed_copies_and_what_they_leave_are_named(launch):
    terminal = launch("2")
    victims = launch.started(2)
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    said = terminal.ends(137)
    assert sorted(map(int, re.findall("copy (.*) ended with 137, SIGKILL", said))) == sorted(victims)
    assert "left behind by copies that were killed: segment" in said
    assert "Killed" not in said, "bash says it, too"
    launch("1 -- --for=0.1").ends(0)  # removes what they have left

def test_copies_of_others_are_no_error_and_stay(launch):
    with subprocess.Popen([*launch.program, "--key", launch.key], stdout=subprocess.DEVNULL) as other:
        launch.started(1)
        assert f"{NOTHING_LEFT}; 1 copies that others started still run" in launch("2 -- --for=0.5").ends(0)
        assert launch.started(1) == [other.pid]
        other.terminate()

def test_it_runs_without_input_from_anywhere_until_its_reader_has_gone(launch):
    launch("3", "<&- | head -n 1", cwd="/").shows(f"1 live  joined(.|\n)*{NOTHING_LEFT}")

def test_keys_kill_stop_and_restart_the_copies_of_64_panes(launch):
    terminal = launch("64 --panes -- --quiet", columns=320, lines=100)
    launch.started(64)
    eventually(lambda: terminal.text().count("   64 live"), 64)
    terminal.screen.resize(90, 290)
    terminal.child.setwinsize(90, 290)
    terminal.child.send("x")
    eventually(lambda: terminal.text().count("   63 live  x"), 63)
    terminal.shows(r"copy 1 was killed by signal 9")
    terminal.child.send("+")
    launch.started(64)
    terminal.child.send("-")
    eventually(lambda: terminal.text().count("   63 live  -"), 63)
    terminal.child.send("\x1b[Bx")  # in the pane below
    eventually(lambda: terminal.text().count("   62 live  x"), 62)
    terminal.child.send("\x03")
    assert re.search(r"copy \d+ ended with 137, SIGKILL", terminal.ends(137))
    assert terminal.lines()[-1] == NOTHING_LEFT

def test_what_cannot_be_done_is_refused_and_panes_close_when_all_copies_have_ended(launch):
    for wrong in "0", "1025", "-1", "x", "1.5", "''", "--pane", "2 --wine=yes", "2 -- --bogus":
        assert "see --help" in launch(wrong).ends(2)
    for arguments, kind, code, says in (
            ("3 --panes -- --for=1", "linux", 0, NOTHING_LEFT),
            ("3 --panes -- --bogus", "linux", 2, "not expected: --bogus"),
            ("64 --panes", "linux", 1, "64 panes need a terminal of 151 columns and 33 lines, this one has 99 and 24"),
            ("2 --panes", "dumb", 1, "TERM is 'dumb'"),
            ("2 --panes", "unknown", 1, "TERM is 'unknown'")):
        launch.environment["TERM"] = kind
        terminal = launch(arguments, columns=99, lines=24)
        terminal.ends(code)
        assert says in "".join(line.ljust(99) for line in terminal.lines())
    without_a_terminal = Terminal(["setsid", "--wait", "sh", "-c", f"{launch.script} --panes </dev/null"])
    assert "--panes needs a terminal" in without_a_terminal.ends(1)

@pytest.fixture
def path(launch, tmp_path):
    """The folder that is the path of the launcher: all commands but apt and dpkg."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for command in os.scandir("/usr/bin"):
        if not re.match("apt|dpkg", command.name):
            (folder / command.name).symlink_to(command.path)
    launch.environment["PATH"] = str(folder)
    return folder

def test_what_is_missing_is_named_in_the_words_of_the_system(path, tmp_path):
    for command in "cmake", "ninja", "c++", "setpriv":
        (path / command).unlink()
    executable(path / "busybox")
    (path / "setpriv").symlink_to("busybox")  # which can do less than the real one
    release = tmp_path / "os-release"
    inside = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c",
              'mount --bind "$0" /etc/os-release || exit 77; PATH=$1 "$2"', release, path]
    for system, like, words in (
            ("rocky", "rhel centos fedora", "dnf install cmake ninja-build gcc-c++"),
            ("arch", "", "pacman -S cmake ninja gcc"),
            ("opensuse-tumbleweed", "opensuse suse", "zypper install cmake ninja gcc-c++"),
            ("alpine", "", "apk add cmake ninja-build g++"),
            ("ubuntu", "debian", "apt-get install cmake ninja-build g++"),
            ("void", "", "please install what your system calls them")):
        release.write_text(f'ID={system}\nID_LIKE="{like}"\n')
        for script, missing in ("launch_n.sh", "cmake ninja c++ setpriv\n"), ("test.sh", "cmake ninja c++"):
            done = subprocess.run([*inside, TOP / "scripts" / script], stderr=subprocess.PIPE, text=True)
            if done.returncode == 77 or done.stderr.startswith("unshare:"):
                pytest.skip("nothing can be mounted here")
            assert f"are missing: {missing}" in done.stderr and words in done.stderr, (system, script)

def test_with_apt_a_person_is_asked_and_another_apt_is_waited_for(launch, path, tmp_path):
    asked = tmp_path / "asked"
    (path / "ninja").unlink()
    executable(path / "sudo", 'exec "$@"')
    executable(
        path / "apt-get", f'echo "$*" >>{asked}; case "$*/$(wc -l <{asked})" in',
        "  *update/1) echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1' >&2; exit 100 ;;",
        "  *update/2) echo \"E: The repository 'x' does not have a Release file.\" >&2; exit 100 ;;",
        f"  *install*) ln -s /usr/bin/ninja {path} ;;", "esac")
    terminal = launch("1 -- --for=0.1")
    terminal.shows(r"installing with apt-get: ninja-build(.|\n)*Go on\?")
    terminal.child.send("n\r")
    terminal.ends(1)
    assert not asked.exists()
    assert "waiting for another apt-get" in launch("1 -- --for=0.1", "</dev/null").ends(0)  # nobody is asked
    assert re.search("update\n.*update\n.*install ninja-build$", asked.read_text())

def test_a_copied_tree_is_built_anew(launch, path, request, tmp_path):
    """Without apt and dpkg, and with spaces in its path. A second launcher waits for it."""
    tree, compiler = tmp_path / "a tree", tmp_path / "fast c++"
    shutil.copytree(TOP, tree, ignore=shutil.ignore_patterns("build", ".git"))
    (tree / "build/release").mkdir(parents=True)
    shutil.copy(request.config.option.build / "CMakeCache.txt", tree / "build/release")
    executable(compiler, 'exec c++ "$@" -O0')
    launch.environment["CXX"] = str(compiler)
    launch.script = tree / "scripts/launch_n.sh"
    first = launch("1")
    first.shows("building")
    said = launch("1 -- --for=0.1").ends(0)
    assert "waiting for another build in build/release" in said and "building" not in said
    first.shows("2 live")

@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_build_folder_of_somebody_else_is_named(tmp_path):
    for folder in tmp_path, *tmp_path.parents[:2]:
        folder.chmod(0o755)  # pytest makes them for root alone
    shutil.copytree(TOP / "scripts", tmp_path / "scripts")
    (tmp_path / "build/release").mkdir(parents=True)
    (tmp_path / "build/release.log").write_text("an old log\n")
    said = run("setpriv", "--reuid=nobody", "--clear-groups", tmp_path / "scripts/launch_n.sh", code=1, cwd="/")
    assert f"{tmp_path}/build/release belongs to root" in said and "an old log" not in said

def test_windows_copies_under_wine_count_and_stop_too(request, key):
    if not request.config.option.exe:
        pytest.skip("preset mingw tests it, whose build is there")
    terminal = Terminal([TOP / "scripts/launch_n.sh", "3", "--wine", "--", "--via=mapping", f"--name=launch_n-{key}"])
    terminal.shows(r"\b3 live")
    terminal.child.send("\x03")
    assert terminal.ends(0).endswith("nothing left behind")
