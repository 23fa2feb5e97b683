"""The scripts and the build on other systems: without apt and dpkg, without a network, in unusual folders."""

import fcntl
import os
import re
import shutil
import subprocess

import pytest

from conftest import TOP
from launcher import LAUNCH, PATIENCE, executable
from terminal import eventually

SYSTEMS = {
    "ID=fedora": "dnf install cmake ninja-build gcc-c++",
    'ID="rocky"\nID_LIKE="rhel centos fedora"': "dnf install cmake ninja-build gcc-c++",
    "ID=arch": "pacman -S cmake ninja gcc",
    'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"': "zypper install cmake ninja gcc-c++",
    "ID=alpine": "apk add cmake ninja-build g++",
    "ID=ubuntu\nID_LIKE=debian": "apt-get install cmake ninja-build g++",
}


@pytest.fixture
def without(launch, tmp_path):
    """A function that takes commands off the path, apt and dpkg among them, and returns the folder that is the path."""
    folder = tmp_path / "bin"

    def take_away(*names):
        folder.mkdir()
        for command in os.scandir("/usr/bin"):
            if not re.match("apt|dpkg", command.name) and command.name not in names:
                (folder / command.name).symlink_to(command.path)
        launch.environment["PATH"] = str(folder)
        return folder

    return take_away


def run_as(system, script, environment, tmp_path):
    """Runs it where /etc/os-release says that."""
    release = tmp_path / "os-release"
    release.write_text(system + "\n")
    command = ["/usr/bin/unshare", "--map-root-user", "--mount", "sh", "-c",
               'mount --bind "$0" /etc/os-release || exit 77; exec "$@"', release, *script]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if run.returncode == 77:
        pytest.skip("nothing can be mounted here")
    return run


# --- without apt ---


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: re.search(r"ID=\W?(\w+)", system)[1])
def test_what_is_missing_is_named_in_the_words_of_the_system(launch, without, tmp_path, system):
    without("cmake", "ninja", "c++")
    for script in (LAUNCH, TOP / "scripts/test.sh"):
        run = run_as(system, [script], launch.environment, tmp_path)
        assert run.returncode == 1
        assert "are missing: cmake ninja c++" in run.stderr
        assert SYSTEMS[system] in run.stderr


def test_on_an_unknown_system_the_commands_are_named(launch, without, tmp_path):
    without("ninja", "setpriv")
    run = run_as("ID=void", [LAUNCH], launch.environment, tmp_path)
    assert run.returncode == 1
    assert "are missing: ninja setpriv\n" in run.stderr
    assert "please install what your system calls them" in run.stderr


def test_without_apt_it_runs_once_all_is_there(launch, without):
    without("help2man", "tmux", "lintian")
    assert launch.background("2", "--", "--for=0.1").wait(PATIENCE) == 0, launch.err()
    assert launch.out().count("live  left") == 2


def test_what_busybox_has_is_not_enough(launch, without):
    commands = without("setpriv")
    executable(commands / "busybox", "exit 1")
    (commands / "setpriv").symlink_to(commands / "busybox")
    assert launch.background("1", "--").wait(PATIENCE) == 1
    assert "are missing: setpriv\n" in launch.err()


def test_without_compilers_for_windows_the_tests_of_linux_run(without, tmp_path):
    """cmake and ctest only show what they are asked for."""
    commands = without("cmake", "ctest", "clang++", "x86_64-w64-mingw32-g++-posix")
    executable(commands / "cmake", "exit 0")
    executable(commands / "ctest", 'case "$*" in *json*) echo "{\\"tests\\": []}" ;; *) cat build/all/*.cmake ;; esac')
    shutil.copytree(TOP / "scripts", tmp_path / "tree/scripts")
    run = subprocess.run([tmp_path / "tree/scripts/test.sh"], capture_output=True, text=True, check=True,
                         env={**os.environ, "PATH": str(commands)})
    assert "skipped: there is no x86_64-w64-mingw32-g++-posix" in run.stdout
    assert re.findall(r"^add_test\( \[==\[(.*?)\]==] \[==\[true", run.stdout, re.MULTILINE) == ["release.build"]


# --- with apt ---


@pytest.fixture
def apt(without, tmp_path):
    """Where ninja is missing. apt-get writes down what it is asked for, has these troubles, and then installs it."""
    commands, asked = without("ninja", "sudo"), tmp_path / "asked"
    executable(commands / "sudo", 'exec "$@"')
    executable(
        commands / "apt-get", f'echo "$*" >>"{asked}"', f'case "$*/$(wc -l <"{asked}")" in',
        "  *update/1) echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1' >&2; exit 100 ;;",
        "  *update/2) echo \"E: The repository 'x' does not have a Release file.\" >&2; exit 100 ;;", "esac",
        f'case $* in *install*) ln -s /usr/bin/ninja "{commands}" ;; esac')
    return asked


def test_a_person_is_asked_before_anything_is_installed(launch, apt):
    terminal = launch.terminal("1", "--", "--for=0.1")
    eventually(terminal.text, re.compile(r"installing with apt-get: ninja-build(.|\n)*Go on\?"))
    terminal.press("n\r")
    eventually(terminal.exit_code, 1)
    assert not apt.exists()


def test_another_apt_and_a_broken_source_do_not_end_an_installation(launch, apt):
    """Without a terminal nobody is asked."""
    assert launch.background("1", "--", "--for=0.1").wait(PATIENCE) == 0, launch.err()
    assert "waiting for another apt-get" in launch.err()
    assert re.search("update\n.*update\n.*install ninja-build$", apt.read_text())


# --- what may be in the way ---


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_panes_in_a_terminal_that_cannot_place_text_are_refused(launch, kind):
    launch.environment["TERM"] = kind
    terminal = launch.terminal("2", "--panes", "--")
    eventually(terminal.exit_code, 1, PATIENCE)
    assert f"TERM is '{kind}'" in terminal.text()


def test_a_launcher_says_that_it_waits_for_the_build_of_another(launch):
    folder = os.open(TOP / "build/release", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    process = launch.background("1", "--", "--for=0.1")
    eventually(launch.err, re.compile("waiting for another build in build/release"))
    os.close(folder)
    assert process.wait(PATIENCE) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_build_folder_of_somebody_else_is_named(launch, tmp_path_factory):
    tree = tmp_path_factory.getbasetemp().parent.parent / f"somebody_else-{os.getpid()}"
    try:
        shutil.copytree(TOP / "scripts", tree / "scripts")
        (tree / "build/release").mkdir(parents=True)
        (tree / "build/release.log").write_text("an old log\n")
        run = subprocess.run(["setpriv", "--reuid=nobody", "--clear-groups", tree / "scripts/launch_n.sh"],
                             capture_output=True, text=True, check=False, cwd="/")
    finally:
        shutil.rmtree(tree)
    assert run.returncode == 1
    assert f"{tree}/build/release belongs to root" in run.stderr
    assert "an old log" not in run.stderr


# --- CMake ---


def test_without_a_network_cmake_says_at_once_what_to_do(tmp_path):
    run = subprocess.run(["cmake", "-S", TOP, "-B", tmp_path, "-D", "CMAKE_DISABLE_FIND_PACKAGE_fmt=ON"],
                         env={**os.environ, "https_proxy": "http://127.0.0.1:9"}, capture_output=True, text=True,
                         check=False, timeout=60)
    assert run.returncode != 0
    assert "FETCHCONTENT_SOURCE_DIR_FMT=FOLDER" in run.stderr


def test_libraries_in_folders_and_spaces_in_all_names(without, tmp_path):
    """Built without a network and without dpkg, with a manual page, for an absolute folder of programs."""
    commands = without()
    tree, build, programs = tmp_path / "a tree", tmp_path / "a build", tmp_path / "some programs"
    shutil.copytree(TOP, tree, ignore=shutil.ignore_patterns("build", ".git"))
    for library, target, headers in ("fmt", "fmt-header-only", "fmt"), ("CLI11", "CLI11", "CLI"):
        (tmp_path / library).mkdir()
        (tmp_path / library / headers).symlink_to(f"/usr/include/{headers}")
        (tmp_path / library / "CMakeLists.txt").write_text(
            f"add_library({target} INTERFACE)\nadd_library({library}::{target} ALIAS {target})\n"
            f"target_include_directories({target} INTERFACE .)\n"
            f"target_compile_definitions({target} INTERFACE FMT_HEADER_ONLY)\n")
    executable(tmp_path / "fast c++", 'exec c++ "$@" -O0')

    def cmake(*arguments):
        run = subprocess.run(["cmake", *arguments], capture_output=True, text=True, check=False,
                             env={**os.environ, "PATH": str(commands), "CXX": str(tmp_path / "fast c++")})
        assert run.returncode == 0, run.stdout + run.stderr

    cmake("-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_UNITY_BUILD=ON",
          f"-DFETCHCONTENT_SOURCE_DIR_FMT={tmp_path / 'fmt'}",
          f"-DFETCHCONTENT_SOURCE_DIR_CLI11={tmp_path / 'CLI11'}", f"-DCMAKE_INSTALL_BINDIR={programs}")
    cmake("--build", build)
    cmake("--install", build, "--prefix", tmp_path / "installed")
    assert subprocess.run([programs / "share_data", "--version"], capture_output=True, check=True).stdout
    assert (tmp_path / "installed/share/man/man1/share_data.1.gz").exists() or not shutil.which("help2man")
    cmake(build, "-DCMAKE_INSTALL_BINDIR=bin", "-DDPKG=")  # CMake looks for it off the path, too
    cmake("--build", build, "--target", "package")
    assert sorted(file.suffix for file in build.glob("share-data[-_]*")) == [".gz", ".sha256"]
