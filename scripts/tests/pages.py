"""The README and the pages in docs/."""

import re

from conftest import TOP

PAGES = {page: page.read_text() for page in sorted([*TOP.glob("README*.md"), *TOP.glob("docs/*.md")])}
ENGLISH = {page: text for page, text in PAGES.items() if not page.name.endswith(".zh-CN.md")}

def blocks(page, kind) -> list[tuple[str, list[str]]]:
    """The blocks of code that follow a line `<!-- KIND: NAME -->`: pairs of the name and the lines."""
    found = re.findall(rf"^<!-- {kind}: (.*) -->\n+```.*\n((?:(?!```).*\n)*)```$", PAGES[page], re.MULTILINE)
    return [(name, text.splitlines()) for name, text in found]
