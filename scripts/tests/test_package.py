"""Makes the Debian package, and uses what is in it. (The archive has the same.)"""

import gzip
import os
import re
import shutil
import subprocess

import pytest

from conftest import TOP

def output(*command, **options) -> str:
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert run.returncode == 0, run.stdout
    return run.stdout

@pytest.mark.skipif(os.geteuid() != 0, reason="dpkg gives each file to root")
def test_package_can_be_installed_used_and_removed(build, key, tmp_path):
    if not (build / "linux/share_data.1.gz").exists():
        pytest.skip("made without help2man")
    output("cpack", "--config", build / "CPackConfig.cmake", "-G", "DEB", "-B", tmp_path)
    (checksum,) = tmp_path.glob("*.sha256")
    output("sha256sum", "--check", checksum, cwd=tmp_path)
    deb, root = checksum.with_suffix(""), tmp_path / "root"
    if shutil.which("lintian"):
        output("lintian", "--allow-root", "--pedantic", "--fail-on", "error,warning,info,pedantic", deb)
    for folder in "info", "updates":
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = ["dpkg", f"--root={root}", "--force-bad-path", "--force-depends", "--log=/dev/null"]
    output(*dpkg, "--install", deb)

    program, share = root / "usr/bin/share_data", root / "usr/share"
    assert re.search(r"\] +1 live  joined$", output(program, "--key", key, "--quiet", "--for", "0.01"), re.MULTILINE)
    # A static program brings the standard library with it, and of that nothing that it does not use.
    assert program.stat().st_size <= 2_000_000
    assert ".symtab" not in output("readelf", "--sections", "--wide", program)
    libraries = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "--dynamic", program))
    needed = {output("dpkg-query", "--search", f"*/{library}").split(":")[0] for library in libraries}
    assert set(re.findall(r"(?:^|, )([^ ,\n]+)", output("dpkg-deb", "--field", deb, "Depends"))) == needed
    # Changelogs begin with this version. All that --help tells is in the manual page, and bash proposes it.
    version = output(program, "--version").split()[1]
    assert re.search(r"^## \[([\d.]+)\]", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == version
    assert (TOP / "linux/debian/changelog").read_text().startswith(f"share-data ({version}) ")
    told = output(program, "--help")
    manual = gzip.decompress((share / "man/man1/share_data.1.gz").read_bytes()).decode()
    manual = re.sub(r"\\f[BIRP]", "", manual.replace(r"\-", "-"))
    lines = re.findall(r"^  (?:-h,)?(--[a-z]+)|^  (share_data .*[a-z])   |^  [0-3]  (.*)", told, re.MULTILINE)
    assert len(lines) > 10 and [words for line in lines if (words := "".join(line)) not in manual] == []
    ask = 'source "$1"; COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)); _share_data; echo "${COMPREPLY[@]}"'
    bash = ["bash", "-c", ask, "bash", share / "bash-completion/completions/share_data", program]
    assert sorted(output(*bash, "--").split()) == sorted(set(re.findall("--[a-z]+", told)))
    assert output(*bash, "--color", "a") == "auto always\n"
    for document in "copyright", "README.md":
        assert (share / "doc/share-data" / document).stat().st_size > 0
    output(*dpkg, "--purge", "share-data")
    assert list(root.glob("usr/**/*")) == []
