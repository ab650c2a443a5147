"""Headings of a Markdown file, and the names by which links of other programs call them. Pure.

## What's new? {#news}      is called #news, #whats-new (GitHub, Hugo), #what-s-new (ours);
                            the page shows it without {#news}, at #h-what-s-new
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from wiki.exchange import fences
from wiki.names import slugify

_HEADING = re.compile(r"( {0,3}#{1,6}[ \t]+)(\S.*)$")
_NAMED = re.compile(r"[ \t]*\{[ \t]*#(?P<name>[^\s{}]+)[^{}\n]*\}[ \t]*(?:#+[ \t]*)?$")
_ALONE = re.compile(r"\s*\{[ \t]*#([^\s{}]+)[^{}]*\}\s*$")  # on a line of its own, above
_LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\([^()\n]*\)")
_MARKS: Final = str.maketrans("", "", "*`\\")


def anchors(text: str) -> Mapping[str, str]:
    """What links may call a heading, case folded -> its anchor on our page, without `h-`."""
    found: dict[str, str] = {}
    taken: dict[str, int] = {}
    above = ""
    for is_code, line in fences.lines(text):
        alone = None if is_code else _ALONE.match(line)
        above = alone[1] if alone else above
        heading = None if is_code else _HEADING.match(line)
        if heading is None:
            continue
        named = _NAMED.search(heading[2])
        words = _NAMED.sub("", heading[2]).rstrip().rstrip("#").rstrip()
        shown = _LINK.sub(r"\1", words).translate(_MARKS)
        ours = slugify(shown)
        taken[ours] = count = taken.get(ours, 0) + 1
        anchor = ours if count == 1 else f"{ours}-{count}"  # as web/markdown.py counts
        theirs = github_slug(shown) + ("" if count == 1 else f"-{count - 1}")
        for called in (named["name"] if named else "", above, theirs, anchor):
            if called:
                found.setdefault(called.casefold(), anchor)
        above = ""
    return found


def without_names(line: str) -> str:
    """A line of prose without the name that a heading carries in braces."""
    if _ALONE.match(line):
        return ""
    heading = _HEADING.match(line)
    return heading[1] + _NAMED.sub("", heading[2]) if heading else line


def github_slug(words: str) -> str:
    """As GitHub, Hugo and most generators make an anchor of a heading."""
    kept = (char for char in words.strip().lower() if _is_kept(char))
    return "".join("-" if char == " " else char for char in kept)


def _is_kept(char: str) -> bool:
    return char in " -_" or unicodedata.category(char)[0] in "LNM"
