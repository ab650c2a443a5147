"""Lines of a Markdown text, and which of them are fenced code (CommonMark §4.5). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_FENCE = re.compile(r"\s*(?:(?:>|[-*+]|\d+[.)])\s+)*(?P<fence>`{3,}(?=[^`]*$)|~{3,})")


def lines(text: str) -> Iterator[tuple[bool, str]]:
    """Every line, and whether it is code or a fence around code; in lists and quotes too."""
    return marked(text.split("\n"))


def marked(every: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """As `lines`, of a text that is split already."""
    fence = ""
    for line in every:
        if fence:
            yield True, line
            body = line.lstrip("> \t").rstrip()
            if len(body) >= len(fence) and not body.strip(fence[0]):
                fence = ""
            continue
        found = _FENCE.match(line)
        fence = found["fence"] if found else ""
        yield bool(found), line
