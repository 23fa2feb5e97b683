"""Starts launch_n.sh for real, in terminals and without, and presses keys there."""

import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import TOP
from launcher import LAUNCH, PATIENCE, PROGRAM, executable
from terminal import Terminal, eventually

NOTHING_LEFT = "launch_n.sh: nothing left behind"
READY = re.compile(r"Ctrl\+C: stop all")


@pytest.fixture
def three(launch):
    """Three copies, in the background."""
    process = launch.background("3", "--")
    eventually(launch.live, 3, PATIENCE)
    return process


def says_that_nothing_is_left(lines, copies):
    assert sum("live  left" in line for line in lines) == copies, lines
    assert lines[-1] == NOTHING_LEFT


# --- in one terminal ---


def test_ctrl_c_stops_all_and_the_summary_comes_last(launch):
    for _ in range(10):  # a copy may end at the very moment that the launcher reacts to the signal
        terminal = launch.terminal("3", "--")
        eventually(terminal.text, re.compile("3 live"), PATIENCE)
        terminal.press("\x03")
        eventually(terminal.exit_code, 0)
        says_that_nothing_is_left(terminal.lines(), 3)
        assert launch.left() == []


@pytest.mark.parametrize("name", ["TERM", "HUP", "QUIT", "INT"])
def test_signals_stop_all(launch, name):
    """SIGINT, too, although a script's background ignores it."""
    process = launch.background("3", "--", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    eventually(launch.live, 3, PATIENCE)
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.wait(PATIENCE) == 0
    says_that_nothing_is_left(launch.out().splitlines() + launch.err().splitlines(), 3)
    assert launch.left() == []


def test_a_signal_at_any_moment_of_the_start_stops_all(launch):
    assert launch.background("1", "--", "--for=0.1").wait(PATIENCE) == 0
    for _ in range(12):
        process = launch.background("20", "--")
        time.sleep(random.uniform(0, 0.4))
        process.terminate()
        process.wait(PATIENCE)
        assert launch.left() == []


def test_no_copy_outlives_a_launcher_that_was_killed(launch, three):
    three.kill()
    eventually(launch.left, [])


def test_closing_the_terminal_stops_all(launch):
    terminal = launch.terminal("3", "--")
    eventually(launch.live, 3, PATIENCE)
    terminal.close()
    eventually(launch.left, [])


def test_stopped_copies_are_stopped_too(launch, three):
    for pid in launch.pids()[:2]:
        os.kill(pid, signal.SIGSTOP)
    three.terminate()
    assert three.wait(PATIENCE) == 0
    assert launch.left() == []


def test_the_exit_code_is_that_of_a_copy(launch):
    assert launch.background("2", "--", "--bogus").wait(PATIENCE) == 2


def test_the_exit_code_is_the_first_that_is_not_0(launch, three):
    victim = launch.pids()[0]
    os.kill(victim, signal.SIGKILL)
    eventually(launch.live, 2)
    three.terminate()
    assert three.wait(PATIENCE) == 137
    assert f"launch_n.sh: copy {victim} ended with 137, SIGKILL" in launch.err()
    assert "Killed" not in launch.err()
    assert launch.left() == []


def test_what_killed_copies_leave_is_named(launch):
    process = launch.background("1", "--")
    eventually(launch.live, 1, PATIENCE)
    os.kill(launch.pids()[0], signal.SIGKILL)
    assert process.wait(PATIENCE) == 137
    assert "left behind by copies that were killed: segment" in launch.err()
    assert launch.background("1", "--", "--for=0.1").wait(PATIENCE) == 0
    assert launch.left() == []


def test_copies_of_others_are_no_error_and_stay(launch):
    assert launch.background("1", "--", "--for=0.1").wait(PATIENCE) == 0
    with subprocess.Popen([PROGRAM, "--quiet", "--key", launch.key], stdout=subprocess.DEVNULL) as other:
        eventually(launch.live, 1)
        assert launch.background("2", "--", "--for=0.5").wait(PATIENCE) == 0
        assert "nothing left behind; 1 copies that others started still run" in launch.err()
        assert launch.pids() == [other.pid]
        other.terminate()
    assert launch.left() == []


def test_a_reader_that_goes_away_ends_all(launch):
    process = launch.background("3", "--", output=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    subprocess.run([PROGRAM, "--key", launch.key, "--for=0.5"], capture_output=True, check=True)  # now all have a line
    process.wait(PATIENCE)
    assert NOTHING_LEFT in launch.err()
    assert launch.left() == []


def test_it_runs_without_input_and_from_anywhere(launch):
    assert launch.background("2", "--", "--for=0.5", cwd="/", preexec_fn=lambda: os.close(0)).wait(PATIENCE) == 0
    assert launch.out().count("live  left") == 2
    assert launch.left() == []


def test_a_copied_tree_with_spaces_in_its_path_is_built_anew(launch, tmp_path):
    tree = tmp_path / "a tree"
    shutil.copytree(TOP, tree, ignore=shutil.ignore_patterns("build", ".git"))
    (tree / "build/release").mkdir(parents=True)
    if (cache := TOP / "build/release/CMakeCache.txt").exists():
        shutil.copy(cache, tree / "build/release")
    compiler = tmp_path / "fast c++"
    executable(compiler, 'exec c++ "$@" -O0')
    launch.environment["CXX"] = str(compiler)
    script = tree / "scripts/launch_n.sh"
    assert launch.background("2", "--", "--for=1", script=script).wait(PATIENCE) == 0, launch.err()
    assert "2 live" in launch.out()
    assert "building" in launch.err()
    assert launch.background("1", "--", "--for=0.1", script=script).wait(PATIENCE) == 0
    assert "building" not in launch.err()


def test_wrong_usage_ends_with_2_and_a_hint():
    for arguments in "0", "4097", "-1", "x", "1.5", "", "--pane", "--key 1", "2 --wine=yes":
        run = subprocess.run([LAUNCH, *(arguments.split() or [""])], capture_output=True, text=True, check=False)
        assert (run.returncode, run.stdout) == (2, ""), arguments
        assert "see --help" in run.stderr


def test_help_has_examples():
    assert "Examples" in subprocess.run([LAUNCH, "--help"], capture_output=True, text=True, check=True).stdout


def test_windows_copies_under_wine_count_and_stop_too(launch):
    terminal = Terminal([LAUNCH, "3", "--wine", "--", "--via", "mapping", "--name", f"launch_n-{launch.key}"])
    launch.started.append(terminal)
    eventually(terminal.text, re.compile("3 live"), PATIENCE)
    terminal.press("\x03")
    eventually(terminal.exit_code, 0)
    says_that_nothing_is_left(terminal.lines(), 3)


# --- in panes ---


@pytest.fixture
def panes(launch):
    """Starts that many copies in panes, and waits until all of them run."""

    def start(copies, columns=160, lines=40) -> Terminal:
        terminal = launch.terminal(str(copies), "--panes", "--", "--quiet", columns=columns, lines=lines)
        eventually(launch.live, copies, PATIENCE)
        eventually(terminal.text, READY)
        return terminal

    return start


def shows(terminal, text, times):
    eventually(lambda: f"{text}: {len(re.findall(text, terminal.text()))} times", f"{text}: {times} times")


def test_four_panes_count_and_see_one_killed(launch, panes):
    terminal = panes(4)
    shows(terminal, "   4 live", 4)
    victim = launch.pids()[-1]
    os.kill(victim, signal.SIGKILL)
    shows(terminal, f"   3 live  x {victim} was killed", 3)
    eventually(terminal.text, re.compile("copy [1-4] was killed by signal 9"))
    terminal.press("\x03")
    eventually(terminal.exit_code, 137)
    assert f"copy {victim} ended with 137, SIGKILL" in terminal.text()
    assert "nothing left behind" in terminal.text()
    assert launch.left() == []


def test_keys_kill_stop_and_restart_the_copy_of_a_pane(launch, panes):
    terminal = panes(2)
    for key, answer in ("x", "1 live  x "), ("+", r"1 live  x (.|\n)*2 live  \+ "), ("-", "1 live  - "):
        terminal.press(key)
        eventually(terminal.text, re.compile(answer))
    terminal.press("\x1b[B-")  # the other pane
    eventually(terminal.exit_code, 0)  # all have left, so the session closes by itself
    assert launch.left() == []


@pytest.mark.parametrize("option, code", [("--for=1", 0), ("--bogus", 2)], ids=["well", "badly"])
def test_panes_close_when_all_copies_have_ended(launch, option, code):
    """Those whose copies failed say why."""
    terminal = launch.terminal("3", "--panes", "--", option, columns=100, lines=30)
    eventually(terminal.exit_code, code, PATIENCE)
    assert code == 0 or re.search("share_data: .*--bogus", terminal.text())
    assert launch.left() == []


def test_64_panes_fit_in_a_large_terminal(launch, panes):
    terminal = panes(64, columns=320, lines=100)
    shows(terminal, "   64 live", 64)
    terminal.resize(290, 90)
    os.kill(launch.pids()[-1], signal.SIGKILL)
    shows(terminal, "   63 live  x", 63)
    terminal.press("\x03")
    eventually(terminal.exit_code, 137)
    assert launch.left() == []


def test_64_panes_in_a_small_terminal_are_refused_with_the_size_they_need(launch):
    terminal = launch.terminal("64", "--panes", "--", columns=80, lines=24)
    eventually(terminal.exit_code, 1, PATIENCE)
    needs = "64 panes need a terminal of 151 columns and 33 lines, this one has 80 and 24"
    assert needs in terminal.text().replace("\n", " ")


def test_panes_without_a_terminal_are_refused(launch):
    assert launch.background("2", "--panes", "--").wait(PATIENCE) == 1
    assert "--panes needs a terminal" in launch.err()


@pytest.mark.parametrize("how", ["close", "TERM", "HUP", "KILL"])
def test_no_pane_outlives_its_launcher(launch, panes, how):
    terminal = panes(4)
    if how == "close":
        terminal.close()
    else:
        os.kill(terminal.pid, getattr(signal, f"SIG{how}"))
    eventually(launch.left, [])
