"""Makes the packages and uses what is in them."""

import datetime
import email.utils
import gzip
import os
import re
import shutil
import subprocess

import pytest

from conftest import TOP


@pytest.fixture
def build(request):
    build = request.config.option.build
    if not (build / "linux/share_data.1.gz").exists():
        pytest.skip("made without help2man")
    return build


def output(*command, **options) -> str:
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert run.returncode == 0, f"{command}\n{run.stdout}"
    return run.stdout


@pytest.fixture
def package(build, tmp_path):
    """Makes the package of a kind, and returns its file."""

    def make(generator):
        out = tmp_path / "out"
        output("cpack", "--config", build / "CPackConfig.cmake", "-G", generator, "-B", out)
        (checksum,) = out.glob("*.sha256")
        output("sha256sum", "--check", checksum, cwd=out)
        return checksum.with_suffix("")

    return make


def check_everything_is_in(root, key):
    program = root / "bin/share_data"
    first = output(program, "--key", key, "--quiet", "--for", "0.01").splitlines()[0]
    assert re.search(r"\] +1 live  joined$", first)
    # A static program brings the standard library with it, and of that nothing that it does not use.
    assert program.stat().st_size <= 2_000_000
    assert ".symtab" not in output("readelf", "--sections", "--wide", program)
    told = output(program, "--help")
    options = sorted(set(re.findall("--[a-z]+", told)))
    # All that --help tells is in the manual page.
    manual = gzip.decompress((root / "share/man/man1/share_data.1.gz").read_bytes()).decode()
    manual = re.sub(r"\\f[BIRP]", "", manual.replace(r"\-", "-"))
    lines = re.findall(r"^  (?:-h,)?(--[a-z]+)|^  (share_data .*[a-z])   |^  [0-3]  (.*)", told, re.MULTILINE)
    assert len(lines) > 10 and [words for line in lines if (words := "".join(line)) not in manual] == []
    completion = root / "share/bash-completion/completions/share_data"
    assert completions(completion, root, "--") == options
    assert completions(completion, root, "--color", "a") == ["always", "auto"]
    for document in "copyright", "README.md":
        assert (root / "share/doc/share-data" / document).stat().st_size > 0


def completions(script, root, *words):
    """What bash proposes after these words."""
    ask = 'source "$1"; COMP_WORDS=(share_data "${@:2}") COMP_CWORD=$(($# - 1)); _share_data; echo "${COMPREPLY[@]}"'
    path = f"{root}/bin:{os.environ['PATH']}"
    return sorted(output("bash", "-c", ask, "bash", script, *words, env={**os.environ, "PATH": path}).split())


@pytest.mark.skipif(os.geteuid() != 0, reason="dpkg gives each file to root")
def test_deb_can_be_installed_and_removed(package, key, tmp_path):
    root = tmp_path / "root"
    for folder in "info", "updates":
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = ["dpkg", f"--root={root}", "--force-bad-path", "--force-depends", "--log=/dev/null"]
    output(*dpkg, "--install", package("DEB"))
    check_everything_is_in(root / "usr", key)
    output(*dpkg, "--purge", "share-data")
    assert list(root.glob("usr/**/*")) == []


def test_deb_asks_for_what_it_needs(package, tmp_path):
    """For the packages with the libraries that the program needs; a static one needs none."""
    deb = package("DEB")
    asked = re.findall(r"(?:^|, )([^ ,\n]+)", output("dpkg-deb", "--field", deb, "Depends"))
    output("dpkg-deb", "--extract", deb, tmp_path / "root")
    dynamic = output("readelf", "--dynamic", tmp_path / "root/usr/bin/share_data", env={**os.environ, "LC_ALL": "C"})
    libraries = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
    needed = {output("dpkg-query", "--search", f"*/{library}").split(":")[0] for library in libraries}
    assert sorted(asked) == sorted(needed)


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed")
def test_deb_satisfies_lintian(package):
    severities = "error,warning,info,pedantic"
    output("lintian", "--allow-root", "--pedantic", "--display-info", "--fail-on", severities, package("DEB"))


def test_changelogs_tell_of_this_version(build):
    """Both begin with it, of the same day."""
    version, day = re.search(r"^## \[([\d.]+)\] - (.*)$", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE).groups()
    assert output(build / "linux/share_data", "--version") == f"share_data {version}\n"
    debian = (TOP / "linux/debian/changelog").read_text()
    assert debian.startswith(f"share-data ({version}) ")
    date = email.utils.parsedate_to_datetime(re.search(r"^ -- .*>  (.*)$", debian, re.MULTILINE)[1])
    assert date.astimezone(datetime.timezone.utc).date().isoformat() == day


def test_archive_can_be_unpacked_anywhere(package, key, tmp_path):
    (tmp_path / "root").mkdir()
    output("tar", "--extract", "--file", package("TGZ"), "--directory", tmp_path / "root", "--strip-components", "1")
    check_everything_is_in(tmp_path / "root", key)


def test_install_takes_a_prefix(build, key, tmp_path):
    output("cmake", "--install", build, "--prefix", tmp_path / "prefix")
    check_everything_is_in(tmp_path / "prefix", key)
