"""Compares the README and the pages in docs/ with what they describe, and with their translations."""

import difflib
import fnmatch
import functools
import json
import re
import shutil
import subprocess

import pytest

from conftest import TOP
from pages import ENGLISH, PAGES, blocks


def finds_nothing(check):
    """Makes a test of a function that yields what is wrong."""

    @functools.wraps(check)
    def test(*args, **kwargs):
        if problems := list(check(*args, **kwargs)):
            pytest.fail("\n".join(problems), pytrace=False)

    return test


def diff(what, expected, seen):
    lines = difflib.unified_diff(list(expected), list(seen), "expected", "seen", lineterm="", n=1)
    return "\n".join([f"{what}:", *lines])


def code_spans(text):
    return re.findall(r"`([^`]+)`", text)


def code_blocks(page):
    return re.findall(r"^```(.*)\n((?:(?!```).*\n)*)```$", page.read_text(), re.MULTILINE)


def table(page, first_heading):
    """The rows of the tables whose first column is called so: lists of cells."""
    for text in re.findall(rf"^\| {first_heading} \|.*\n\|[-| ]+\n((?:\|.*\n)+)", page.read_text(), re.MULTILINE):
        for row in text.splitlines():
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


@finds_nothing
def test_excerpts_are_in_their_files():
    for page in PAGES:
        for name, excerpt in blocks(page, "excerpt"):
            lines = (TOP / name).read_text().splitlines()
            match = difflib.SequenceMatcher(None, excerpt, lines, autojunk=False).find_longest_match()
            there = lines[max(match.b - match.a, 0) :][: len(excerpt)]
            if there != excerpt:
                yield diff(f"{page.name} quotes {name}", there, excerpt)


@finds_nothing
def test_options(program, request):
    """The table of options has those that the program has."""
    other = "Linux:" if request.config.option.exe else "Windows:"
    rows = [row for page in ENGLISH for row in table(page, "option") if not row[1].startswith(other)]
    promised = {option for row in rows for option in re.findall("--[a-z]+", row[0])}
    told = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True)
    there = set(re.findall("--[a-z]+", told.stdout))
    if promised != there:
        yield diff("the table of options, and --help", sorted(there), sorted(promised))


@finds_nothing
def test_tests_that_the_table_of_faults_names_exist():
    there = []
    for source in TOP.glob("[clsw]*/**/*_test.cpp"):
        there += map(".".join, re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)", source.read_text(), re.MULTILINE))
    there += [f"lesson.{name}" for name in re.findall(r"^def test_(\w+)", (TOP / "scripts/tests/test_lesson.py").read_text(), re.M)]
    for cmake in TOP.glob("[clsw]*/**/CMakeLists.txt"):
        there += ["model." + name for name in re.findall(r"^add_exploration\((\w+)", cmake.read_text(), re.MULTILINE)]
    rows = [row for page in ENGLISH for row in table(page, "fault")]
    if not rows:
        yield "there is no table of faults"
    for row in rows:
        names = code_spans(row[-1])
        if not names:
            yield f"no test for: {row[0]}"
        for name in names:
            if not fnmatch.filter(there, name):
                yield f"there is no test {name}"


@finds_nothing
def test_links_lead_somewhere():
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for link in re.findall(r"\]\(([^()\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if link.startswith("http"):
                continue
            if not target.exists():
                yield f"{page.name}: there is no {link}"
            elif anchor and anchor not in anchors(target):
                yield f"{page.name}: no heading for {link}"


def anchors(page):
    """What a link can lead to, as GitHub names it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


@finds_nothing
def test_files_presets_and_options_that_commands_name_exist():
    presets = {preset["name"] for preset in json.loads((TOP / "CMakePresets.json").read_text())["configurePresets"]}
    for page in PAGES:
        commands = code_spans(page.read_text()) + [line for _, text in code_blocks(page) for line in text.splitlines()]
        for command in commands:
            for path in re.findall(r"(?<![\w/.-])(?:scripts|docs|linux|windows|common)[/\\][\w/\\.-]+\w", command):
                if "build" not in command and not (TOP / path.replace("\\", "/")).exists():
                    yield f"{page.name}: {command}: there is no {path}"
            for preset in re.findall(r"--preset (\S+)", command):
                if preset not in presets:
                    yield f"{page.name}: {command}: there is no preset {preset}"
            if script := re.match(r"(scripts/\w+\.sh) ?(.*)", command):
                yield from unknown_options(page, *script.groups())


def unknown_options(page, script, arguments):
    told = subprocess.run([TOP / script, "--help"], capture_output=True, text=True, check=False).stdout
    for option in re.findall(r"--[a-z]+", arguments.partition(" -- ")[0]):
        if option not in told:
            yield f"{page.name}: {script} has no {option}"


@finds_nothing
def test_translations_have_the_same_structure():
    """Every page but those for developers is there in both languages."""
    for page in ENGLISH:
        translation = page.with_suffix(".zh-CN.md")
        if not translation.exists():
            if not re.search("^For developers", page.read_text(), re.MULTILINE):
                yield f"there is no {translation.name}"
        elif (expected := list(structure(page))) != (seen := list(structure(translation))):
            yield diff(f"{translation.name} differs from {page.name}", expected, seen)


def structure(page):
    """What both languages have in common: the levels of the headings, the code without its comments, the arrows of the
    diagrams, the code in each row of a table, how many items a list has, the links. Not what scripts write.
    """
    text = re.sub(r"^(<!-- .*: written by .*-->)$.*?^(?=<!-- end of)", r"\1\n", page.read_text(), flags=re.M | re.S)
    language = None  # of the block of code that we are in
    for line in text.splitlines():
        if line.startswith("```"):
            language = line[3:] if language is None else None
            yield line
        elif language == "mermaid":
            yield "" if "Note" in line else re.sub(" as .*|:.*", "", line)
        elif language is not None and language != "text":
            yield re.sub(r"\s*(//|# ).*", "", line)
        elif language is None and (mark := re.match(r"<!-- .*|#+ |- |\d+\. |\|", line)):
            yield f"{mark[0]} {line.count('|')} cells, {sorted(code_spans(line))}" if mark[0] == "|" else mark[0]
    links = [re.sub(r"#.*|\.zh-CN", "", link) for link in re.findall(r"\]\(([^()\s]+)\)", page.read_text())]
    yield from sorted(link for link in links if link and link != page.name.replace(".zh-CN", ""))


@finds_nothing
def test_lines_are_at_most_120_columns_wide():
    """Rows of tables and addresses cannot break. Chinese has a line for each paragraph: a break would show as a space."""
    for page in ENGLISH:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            width = len(line)
            if width > 120 and not line.startswith("|") and "](https:" not in line:
                yield f"{page.name}:{number} has {width}: {line}"


@finds_nothing
def test_readmes_have_at_most_320_lines():
    for page in TOP.glob("README*.md"):
        if (lines := len(page.read_text().splitlines())) > 320:
            yield f"{page.name} has {lines}"


def test_commands_that_compile_do(tmp_path):
    """Without optimisation, which is quicker."""
    texts = {text.replace("\\\n", "") for page in ENGLISH for language, text in code_blocks(page) if language != "console"}
    commands = [line for text in texts for line in text.splitlines() if re.match(r"(x86_64-w64-mingw32-)?g\+\+ ", line)]
    assert commands
    for command in commands:
        if shutil.which(command.split()[0]):
            there = re.sub(r"-o (\S+)", rf"-O0 -o {tmp_path}/\1", command)
            assert subprocess.run(["bash", "-c", there], cwd=TOP, check=False).returncode == 0, command
    version = subprocess.run([tmp_path / "share_data", "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("share_data ")
