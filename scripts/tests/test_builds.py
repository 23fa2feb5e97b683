"""Builds the program in the ways that the pages name, and where something is missing or in the way."""

import json
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from conftest import TOP, Terminal, executable
from pages import ENGLISH, PAGES

def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

def test_files_and_presets_that_the_pages_name_exist():
    presets = {preset["name"] for preset in json.loads((TOP / "CMakePresets.json").read_text())["configurePresets"]}
    for page, text in PAGES.items():
        assert set(re.findall(r"--preset (\S+)", text)) - presets == set(), page.name
        files = re.findall(r"(?<![\w/.-])(?:scripts|docs|linux|windows|common)[/\\][\w/\\.-]+\.\w+", text)
        missing = [file for file in files if not (TOP / file.replace("\\", "/")).exists()]
        assert [file for file in missing if not file.endswith(".exe")] == [], page.name

def test_the_compiler_alone_is_enough(tmp_path):
    """The command of the page, without optimisation, which is quicker."""
    command = re.search(r"^g\+\+ -std(?:.|\n)*?$(?<!\\)", ENGLISH[TOP / "docs/building.md"], re.MULTILINE)[0]
    built = run("bash", "-c", command.replace("-o share_data", f"-O0 -o {tmp_path}/share_data"), cwd=TOP)
    assert built.returncode == 0, built.stdout
    assert run(tmp_path / "share_data", "--version").stdout.startswith("share_data ")

def test_without_a_network_cmake_says_at_once_what_to_do(tmp_path):
    cmake = run("cmake", "-S", TOP, "-B", tmp_path, "-GNinja", "-D", "CMAKE_DISABLE_FIND_PACKAGE_fmt=ON",
                env={**os.environ, "https_proxy": "http://127.0.0.1:9"}, timeout=60)
    assert cmake.returncode != 0 and "FETCHCONTENT_SOURCE_DIR_FMT=FOLDER" in cmake.stdout

def test_libraries_in_folders_and_spaces_in_all_names(tmp_path):
    """Also an absolute folder for the program, and no dpkg. Configured only: the copied tree is built elsewhere."""
    build, programs = tmp_path / "a build", tmp_path / "some programs"
    for library, target, headers in ("fmt", "fmt-header-only", "fmt"), ("CLI11", "CLI11", "CLI"):
        folder = tmp_path / f"some {library}"
        folder.mkdir()
        (folder / headers).symlink_to(f"/usr/include/{headers}")
        (folder / "CMakeLists.txt").write_text(
            f"add_library({target} INTERFACE)\nadd_library({library}::{target} ALIAS {target})\n"
            f"target_include_directories({target} INTERFACE .)\n"
            f"target_compile_definitions({target} INTERFACE FMT_HEADER_ONLY)\n")
    for command in (
            ["cmake", "-S", TOP, "-B", build, "-GNinja", "-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_CXX_FLAGS=-O0", "-DDPKG=",
             f"-DFETCHCONTENT_SOURCE_DIR_FMT={tmp_path}/some fmt", f"-DCMAKE_INSTALL_BINDIR={programs}",
             f"-DFETCHCONTENT_SOURCE_DIR_CLI11={tmp_path}/some CLI11"],
            ["cmake", "--build", build], ["cmake", "--install", build, "--prefix", tmp_path / "installed"],
            [programs / "share_data", "--version"], ["cmake", build, "-DCMAKE_INSTALL_BINDIR=bin"],
            ["cmake", "--build", build, "--target", "package"]):
        done = run(*command)
        assert done.returncode == 0, done.stdout
    assert sorted(file.suffix for file in build.glob("share?data[-_]*")) == [".gz", ".sha256"]

def test_without_compilers_for_windows_the_tests_of_linux_run(tmp_path):
    """cmake and ctest only show what they are asked for."""
    (tmp_path / "bin").mkdir()
    for command in os.scandir("/usr/bin"):
        if not re.match(r"apt|dpkg|cmake$|ctest$|clang\+\+$|x86_64-w64", command.name):
            (tmp_path / "bin" / command.name).symlink_to(command.path)
    executable(tmp_path / "bin/cmake", "exit 0")
    executable(tmp_path / "bin/ctest",
               'case "$*" in *json*) echo "{\\"tests\\": []}" ;; *) cat build/all/*.cmake ;; esac')
    shutil.copytree(TOP / "scripts", tmp_path / "tree/scripts")
    said = run(tmp_path / "tree/scripts/test.sh", env={**os.environ, "PATH": str(tmp_path / "bin")}).stdout
    assert "skipped: there is no x86_64-w64-mingw32-g++-posix" in said
    assert re.findall(r"^add_test\( \[==\[(.*?)\]==] \[==\[true", said, re.MULTILINE) == ["release.build"]

@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_build_folder_of_somebody_else_is_named():
    with tempfile.TemporaryDirectory() as folder:  # a folder of pytest's is for root alone
        os.chmod(folder, 0o755)
        tree = shutil.copytree(TOP / "scripts", f"{folder}/scripts").removesuffix("/scripts")
        os.makedirs(f"{tree}/build/release")
        with open(f"{tree}/build/release.log", "w") as log:
            log.write("an old log\n")
        said = run("setpriv", "--reuid=nobody", "--clear-groups", f"{tree}/scripts/launch_n.sh", cwd="/").stdout
    assert f"{tree}/build/release belongs to root" in said and "an old log" not in said

def test_windows_copies_under_wine_count_and_stop_too(request, key):
    if not request.config.option.exe:
        pytest.skip("preset mingw tests it, whose build is there")
    terminal = Terminal([TOP / "scripts/launch_n.sh", "3", "--wine", "--", "--via=mapping", f"--name=launch_n-{key}"])
    terminal.shows(r"\b3 live")
    terminal.child.send("\x03")
    assert terminal.ends(0).endswith("nothing left behind")
