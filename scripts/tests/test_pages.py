"""Compares the README and the pages in docs/ with what they describe, and with their translations."""

import fnmatch
import json
import re

from conftest import ENGLISH, PAGES, TOP, blocks, run

def code_spans(text):
    return re.findall(r"`([^`]+)`", text)

def table(first_heading):
    """The rows of the tables whose first column is called so: lists of cells."""
    for text in ENGLISH.values():
        for rows in re.findall(rf"^\| {first_heading} \|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.MULTILINE):
            yield from [re.split(r" *(?<!\\)\| *", row)[1:-1] for row in rows.splitlines()]

def test_excerpts_are_in_their_files():
    for page in PAGES:
        for name, excerpt in blocks(page, "excerpt"):
            lines = (TOP / name).read_text().splitlines()
            start = lines.index(excerpt[0]) if excerpt[0] in lines else 0
            assert lines[start : start + len(excerpt)] == excerpt, f"{page.name} quotes {name}"

def test_options_and_exit_codes(program, request):
    told = run(*program, "--help")
    other = "Linux:" if request.config.option.exe else "Windows:"
    options = [option for row in table("option") if not row[1].startswith(other) for option in code_spans(row[0])]
    assert {option.split()[0] for option in options} == set(re.findall("--[a-z]+", told))
    codes = re.search("^Exit codes: (.|\n)*?\n\n", ENGLISH[TOP / "README.md"], re.MULTILINE)[0]
    assert re.findall(r"\b(\d) (\w+)", codes) == re.findall(r"^  (\d)  (\w+)", told, re.MULTILINE)

def test_tests_that_the_table_of_faults_names_exist():
    there = []
    for source in TOP.glob("[clw]*/**/*_test.cpp"):
        there += map(".".join, re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)", source.read_text(), re.MULTILINE))
    for cmake in TOP.glob("[lw]*/model/CMakeLists.txt"):
        there += ["model." + name for name in re.findall(r"^add_exploration\((\w+)", cmake.read_text(), re.MULTILINE)]
    rows = list(table("fault"))
    assert len(rows) > 20
    for row in rows:
        names = code_spans(row[-1])
        assert names and [name for name in names if not fnmatch.filter(there, name)] == [], row

def test_links_lead_somewhere():
    for page, text in PAGES.items():
        text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        for link in re.findall(r"\]\(([^()\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not link.startswith("http"):
                assert target.exists(), f"{page.name}: there is no {link}"
                headings = re.findall("^#+ (.*)$", target.read_text(), re.MULTILINE) if anchor else []
                anchors = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
                assert not anchor or anchor in anchors, f"{page.name}: no heading for {link}"

def test_files_and_presets_that_the_pages_name_exist():
    presets = {preset["name"] for preset in json.loads((TOP / "CMakePresets.json").read_text())["configurePresets"]}
    for page, text in PAGES.items():
        assert set(re.findall(r"--preset (\S+)", text)) - presets == set(), page.name
        files = re.findall(r"(?<![\w/.-])(?:scripts|docs|linux|windows|common)[/\\][\w/\\.-]+\.\w+", text)
        missing = [file for file in files if not (TOP / file.replace("\\", "/")).exists()]
        assert [file for file in missing if not file.endswith(".exe")] == [], page.name

def structure(page):
    """What both languages have in common: headings, lists, links, code, also in each row of a table. Not what scripts
    write."""
    text = re.sub("^(<!-- .*: written by .*-->)$.*?^(?=<!-- end of)", r"\1\n", PAGES[page], flags=re.M | re.S)
    in_code = False
    for line in text.splitlines():
        in_code = in_code != line.startswith("```")
        if in_code:
            yield re.sub(r"\s*(//|# ).*", "", line)
        elif mark := re.match(r"<!-- .*|#+ |- |\d+\. |\||```", line):
            yield f"{mark[0]} {line.count('|')} cells, {sorted(code_spans(line))}" if mark[0] == "|" else mark[0]
    links = [re.sub(r"#.*|\.zh-CN", "", link) for link in re.findall(r"\]\(([^()\s]+)\)", text)]
    yield from sorted(link for link in links if link and link != page.name.replace(".zh-CN", ""))

def test_translations_have_the_same_structure():
    """Every page but those for developers is there in both languages."""
    for page, text in ENGLISH.items():
        if not re.search("^For developers", text, re.MULTILINE):
            assert list(structure(page.with_suffix(".zh-CN.md"))) == list(structure(page)), page.name
