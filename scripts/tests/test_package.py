"""Builds the program in other ways, and makes the Debian package and uses what is in it."""

import gzip
import os
import re

import pytest

from conftest import TOP, run

def test_without_a_network_cmake_says_at_once_what_to_do(tmp_path):
    without = {**os.environ, "https_proxy": "http://127.0.0.1:9"}
    assert "FETCHCONTENT_SOURCE_DIR_FMT=FOLDER" in run(
        "cmake", "-S", TOP, "-B", tmp_path, "-GNinja", "-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON", code=1, env=without)

def test_libraries_in_folders_and_spaces_in_all_names(tmp_path):
    """Also an absolute folder for the program, and no dpkg."""
    build, programs = tmp_path / "a build", tmp_path / "some programs"
    for library, target, headers in ("fmt", "fmt::fmt-header-only", "fmt"), ("CLI11", "CLI11::CLI11", "CLI"):
        folder = tmp_path / f"some {library}"
        folder.mkdir()
        (folder / headers).symlink_to(f"/usr/include/{headers}")
        (folder / "CMakeLists.txt").write_text(
            f"add_library({target} INTERFACE IMPORTED GLOBAL)\ntarget_include_directories({target} INTERFACE .)\n"
            f"target_compile_definitions({target} INTERFACE FMT_HEADER_ONLY)\n")
    run("cmake", "-S", TOP, "-B", build, "-GNinja", "-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_CXX_FLAGS=-O0", "-DDPKG=",
        f"-DFETCHCONTENT_SOURCE_DIR_FMT={tmp_path}/some fmt", f"-DCMAKE_INSTALL_BINDIR={programs}",
        f"-DFETCHCONTENT_SOURCE_DIR_CLI11={tmp_path}/some CLI11")
    run("cmake", "--build", build)
    run("cmake", "--install", build, "--prefix", tmp_path / "installed")
    run(programs / "share_data", "--version")
    run("cmake", build, "-DCMAKE_INSTALL_BINDIR=bin")
    run("cmake", "--build", build, "--target", "package")
    assert [file.suffix for file in build.glob("share?data[-_]*")] == [".gz"]

@pytest.mark.skipif(os.geteuid() != 0, reason="dpkg gives each file to root")
def test_package_can_be_installed_used_and_removed(request, key, tmp_path):
    build = request.config.option.build
    if not (build / "linux/share_data.1.gz").exists():
        pytest.skip("made without help2man")
    run("cpack", "--config", build / "CPackConfig.cmake", "-G", "DEB", "-B", tmp_path)
    (deb,) = tmp_path.glob("*.deb")
    root = tmp_path / "root"
    for folder in "info", "updates":
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = ["dpkg", f"--root={root}", "--force-bad-path", "--force-depends", "--log=/dev/null"]
    run(*dpkg, "--install", deb)

    program, share = root / "usr/bin/share_data", root / "usr/share"
    assert re.search(r"\] +1 live  joined$", run(program, "--key", key, "--quiet", "--for", "0.01"), re.MULTILINE)
    assert program.stat().st_size <= 2_000_000  # stripped, and without what it does not use of the static libraries
    assert "NEEDED" not in run("readelf", "--dynamic", program), "the package says that it depends on nothing"
    # Changelogs begin with this version. All that --help tells is in the manual page, and bash proposes it.
    version = run(program, "--version").split()[1]
    assert re.search(r"^## \[([\d.]+)\]", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == version
    assert (TOP / "linux/debian/changelog").read_text().startswith(f"share-data ({version}) ")
    told = run(program, "--help")
    manual = gzip.decompress((share / "man/man1/share_data.1.gz").read_bytes()).decode()
    manual = re.sub(r"\\f[BIRP]", "", manual.replace(r"\-", "-"))
    lines = re.findall(r"^  (?:-h,)?(--[a-z]+)|^  (share_data .*[a-z])   |^  [0-3]  (.*)", told, re.MULTILINE)
    assert len(lines) > 10 and [words for line in lines if (words := "".join(line)) not in manual] == []
    ask = 'source "$1"; COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)); _share_data; echo "${COMPREPLY[@]}"'
    bash = ["bash", "-c", ask, "bash", share / "bash-completion/completions/share_data", program]
    assert sorted(run(*bash, "--").split()) == sorted(set(re.findall("--[a-z]+", told)))
    assert run(*bash, "--color", "a") == "auto always\n"
    assert (share / "doc/share-data/README.md").stat().st_size > 0
    run(*dpkg, "--purge", "share-data")
    assert list(root.glob("usr/**/*")) == []
