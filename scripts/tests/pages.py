"""The README and the pages in docs/, and whether what they promise is what is seen."""

import difflib
import re

import pytest

from conftest import TOP

PAGES = sorted([*TOP.glob("README*.md"), *TOP.glob("docs/*.md")])
ENGLISH = [page for page in PAGES if not page.name.endswith(".zh-CN.md")]


def blocks(page, kind) -> list[tuple[str, list[str]]]:
    """The code blocks that follow a line `<!-- KIND: NAME -->`: pairs of the name and the lines."""
    found = re.findall(rf"^<!-- {kind}: (.*) -->\n+```.*\n((?:(?!```).*\n)*)```$", page.read_text(), re.MULTILINE)
    return [(name, text.splitlines()) for name, text in found]


def fail_with_diff(why, expected, seen):
    diff = difflib.unified_diff(expected, seen, "expected", "seen", lineterm="", n=10)
    pytest.fail("\n".join([why, *diff]), pytrace=False)


# Each run has other times and addresses. Pids, keys, ids, sizes and the user are names: each has another value in each
# run, but one throughout it. An ellipsis stands for the rest of a line, and on a line by itself for any lines.
VARIES = r"\d+(?::\d\d)+(?:\.\d+)?|\d+\.\d+|0x[0-9a-f]{9,}"
NAME = r"0x(?!0+\b)[0-9a-f]+|\d{4,}|\bada\b"
TOKEN = re.compile(f"(?P<varies>{VARIES})|(?P<name>{NAME})|(?P<rest>…)|(?P<space> +)|(?P<text>.)")


def agree(promised: str, shown: str, values: dict) -> dict | None:
    """None if the line is not the one that is promised; else the values of all names, with the new ones."""
    names, regex = [], ""
    for token in TOKEN.finditer(promised):
        if token["name"]:
            names.append(token[0])
        looks = {"varies": f"(?:{VARIES})", "name": r"([\w.-]+)", "rest": ".*", "space": " +", "text": re.escape(token[0])}
        regex += looks[token.lastgroup]
    match = re.fullmatch(regex, shown)
    if not match:
        return None
    values = dict(values)
    if any(values.setdefault(name, value) != value for name, value in zip(names, match.groups())):
        return None
    # What the page tells apart differs, among pids as among ids.
    return values if len({(len(name), value) for name, value in values.items()}) == len(values) else None


def follow(promised: list, shown: list, values: dict):
    """How many of the promised lines are shown, how many lines show them, and the values of the names in them."""
    done = used = 0
    for line in shown:
        skip = promised[done : done + 1] == ["…"]
        if done + skip == len(promised):
            break
        now = agree(promised[done + skip], line, values)
        if now is not None:
            values, done = now, done + skip + 1
        elif not skip:
            break
        used += 1
    if promised[done:] == ["…"]:
        done, used = done + 1, len(shown)
    return done, used, values
