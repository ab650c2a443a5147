"""Links of a Markdown file, led to where their targets are in the wiki. Pure.

    [label](other.md)   [label][ref]   [[other]]      ->   [[Title of other|label]]
    ![alt](picture.png)   ![[picture.png]]            ->   ![alt](/files/…)
    [label](#a-heading)                               ->   [label](#h-a-heading)

Code is left alone, and so is every link whose target is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from wiki.links import target_of
from wiki.names import slugify

_CODE = re.compile(
    r"^ {0,3}(?P<mark>`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}(?P=mark)[`~]*[ \t]*$|\Z)"
    r"|(?P<ticks>(?<!`)`++).+?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE | re.DOTALL,
)
_LABEL = r"(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*"
_TO = r"<[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*"
_TITLE = r"\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)"
_INLINE = re.compile(rf"(!?)\[({_LABEL})\]\([ \t]*({_TO})(?:\s+({_TITLE}))?[ \t]*\)")
_WIKI = re.compile(r"(!?)\[\[([^\[\]|\n#]*)(#[^\[\]|\n]*)?(?:\|([^\[\]\n]*))?\]\]")
_DEFINED = re.compile(rf"^ {{0,3}}\[([^\[\]\n]+)\]:[ \t]*({_TO})(?:[ \t]+({_TITLE}))?[ \t]*$", re.M)
_USED = re.compile(r"(!?)\[([^\[\]\n]+)\](?:\[([^\[\]\n]*)\])?(?![\[(:])")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


class Lead(NamedTuple):
    """Where a link leads: to the page called `title`, or to the file at `address`."""

    title: str = ""
    address: str = ""


Resolve = Callable[[str, bool], Lead | None]  # target without its anchor; whether in [[…]]
Report = Callable[[str], None]


def relink(text: str, resolve: Resolve, report: Report) -> str:
    """`text` with its links led on. `report` is told what is lost by it."""
    return _Relinking(text, resolve, report).run()


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces: whether it is prose, and the piece."""
    at = 0
    for code in _CODE.finditer(text):
        yield True, text[at : code.start()]
        yield False, code[0]
        at = code.end()
    yield True, text[at:]


class _Relinking:
    def __init__(self, text: str, resolve: Resolve, report: Report) -> None:
        self._text, self._resolve, self._report = text, resolve, report
        self._defined: dict[str, str] = {}

    def run(self) -> str:
        pieces = list(prose(self._text))
        pieces = [(is_prose, self._define(p) if is_prose else p) for is_prose, p in pieces]
        return "".join(self._relinked(piece) if is_prose else piece for is_prose, piece in pieces)

    def _define(self, piece: str) -> str:
        """Take out definitions of what comes to lie elsewhere."""

        def keep(found: re.Match[str]) -> str:
            label, to = found[1].casefold().strip(), found[2].strip("<>")
            if to.startswith("#") or _ELSEWHERE.match(to) or not self._lead(to, False):
                return found[0]
            self._defined[label] = to
            return ""

        return _DEFINED.sub(keep, piece)

    def _relinked(self, piece: str) -> str:
        if self._defined:
            piece = _USED.sub(self._used, piece)
        piece = _WIKI.sub(self._wiki, piece)
        return _INLINE.sub(self._inline, piece)

    def _used(self, found: re.Match[str]) -> str:
        to = self._defined.get((found[3] or found[2]).casefold().strip())
        return f"{found[1]}[{found[2]}](<{to}>)" if to else found[0]

    def _inline(self, found: re.Match[str]) -> str:
        mark, label, to, title = found[1], found[2], found[3].strip("<>"), found[4]
        label = _INLINE.sub(self._inline, label)  # a picture that is a link
        behind = f" {title}" if title else ""
        if to.startswith("#"):
            return f"{mark}[{label}](#h-{slugify(to[1:])}{behind})"
        lead = None if _ELSEWHERE.match(to) or not to else self._lead(to, False)
        if lead is None:
            return found[0] if label == found[2] else f"{mark}[{label}]({found[3]}{behind})"
        if lead.address:
            return f"{mark}[{label}]({lead.address}{behind})"
        self._miss_anchor(to)
        if "![" in label:
            return f"{label} {_link(lead.title, '')}"
        return _link(lead.title, label)

    def _wiki(self, found: re.Match[str]) -> str:
        mark, to, anchor, label = found[1], found[2].strip(), found[3] or "", found[4]
        if not to:
            return f"[{label or anchor[1:]}](#h-{slugify(anchor[1:])})"
        lead = self._lead(to, True)
        if lead is None:
            return found[0]
        if lead.address:
            return f"{mark}[{label or to.rpartition('/')[2]}]({lead.address})"
        if mark:
            self._report(f"the page {to} was shown in this one; now it is a link")
        self._miss_anchor(anchor)
        return _link(lead.title, label or (to if slugify(to) != slugify(lead.title) else ""))

    def _lead(self, to: str, is_wiki: bool) -> Lead | None:
        return self._resolve(re.split(r"[#?]", to, maxsplit=1)[0], is_wiki)

    def _miss_anchor(self, to: str) -> None:
        _, hash_sign, anchor = to.partition("#")
        if hash_sign and anchor:
            self._report(f"a link to #{anchor} now leads to the top of its page")


def _link(title: str, label: str) -> str:
    """A link to the page `title` that shows `label`."""
    shown = " ".join(re.sub(r"\*\*|`", "", label).split())
    shown = shown.translate(str.maketrans("[]|", "()/"))[:300]
    is_plain = target_of(title).space_slug is None
    inside = title if is_plain else slugify(title)
    if shown in ("", title):
        return f"[[{inside}]]" if is_plain else f"[[{inside}|{title}]]"
    return f"[[{inside}|{shown}]]"
