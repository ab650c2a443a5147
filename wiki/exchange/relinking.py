"""Links of a Markdown file, led to where their targets are in the wiki. Pure.

    [label](other.md)   [label][ref]   [[other]]      ->   [[Title of other|label]]
    ![alt](picture.png)   ![[picture.png]]            ->   ![alt](/files/…)
    [label](#a-heading)                               ->   [label](#h-a-heading)
    [label]({{< ref "other.md" >}})                   ->   as [label](other.md)

Code is left alone, and so is every link whose target is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from wiki.links import target_of
from wiki.names import slugify

_CODE = re.compile(
    r"^ {0,3}(?P<mark>`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}(?P=mark)[`~]*[ \t]*$|\Z)"
    r"|(?P<ticks>(?<!`)`++).+?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE | re.DOTALL,
)
_LABEL = r"(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*"
_TO = r"<[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*"
_REF = re.compile(r"\{\{[<%]\s*(?:rel)?ref\s+[\"'`]?([^\s\"'`{}]+)[\"'`]?\s*[%>]\}\}")
_TITLE = r"\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)"
_INLINE = re.compile(rf"(!?)\[({_LABEL})\]\([ \t]*({_TO})(?:\s+({_TITLE}))?[ \t]*\)")
_WIKI = re.compile(r"(!?)\[\[([^\[\]|\n#]*)(#[^\[\]|\n]*)?(?:\|([^\[\]\n]*))?\]\]")
_DEFINED = re.compile(
    rf"^ {{0,3}}\[([^\[\]\n]+)\]:[ \t]*+(?:\n[ \t]*+)?(?=\S)({_TO})(?:[ \t]+({_TITLE}))?[ \t]*$",
    re.M,
)
_USED = re.compile(r"(!?)\[([^\[\]\n]+)\](?:\[([^\[\]\n]*)\])?(?![\[(:])")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_LONGEST_ROW = 2000  # of a table, as far as bars are looked for


class Lead(NamedTuple):
    """Where a link leads: to the page called `title`, or to the file at `address`."""

    title: str = ""
    address: str = ""


Resolve = Callable[[str, bool], Lead | None]  # target without its anchor; whether in [[…]]
Report = Callable[[str], None]


def relink(
    text: str, resolve: Resolve, report: Report, anchors: Mapping[str, str] | None = None
) -> str:
    """`text` with its links led on. `report` is told what is lost by it. `anchors`: where the
    text's own headings are (see `headings`)."""
    return _Relinking(text, resolve, report, anchors or {}).run()


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces: whether it is prose, and the piece."""
    at = 0
    for code in _CODE.finditer(text):
        yield True, text[at : code.start()]
        yield False, code[0]
        at = code.end()
    yield True, text[at:]


class _Relinking:
    def __init__(
        self, text: str, resolve: Resolve, report: Report, anchors: Mapping[str, str]
    ) -> None:
        self._text, self._resolve, self._report = text, resolve, report
        self._anchors = anchors
        self._defined: dict[str, str] = {}
        self._around = "", ""  # what stands on the line before the piece; what comes behind it

    def run(self) -> str:
        pieces = list(prose(self._text))
        pieces = [(is_prose, self._define(p) if is_prose else p) for is_prose, p in pieces]
        whole = "".join(piece for _, piece in pieces)
        made: list[str] = []
        at = 0
        for is_prose, piece in pieces:
            line, end = whole.rfind("\n", 0, at) + 1, at + len(piece)
            self._around = whole[line:at][:_LONGEST_ROW], whole[end : end + _LONGEST_ROW]
            made.append(self._relinked(piece) if is_prose else piece)
            at = end
        return "".join(made)

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
        if "{{" in piece:
            piece = _REF.sub(r"\1", piece)
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
            return f"{mark}[{label}]({self._here(to[1:])}{behind})"
        lead = None if _ELSEWHERE.match(to) or not to else self._lead(to, False)
        if lead is None:
            return found[0] if label == found[2] else f"{mark}[{label}]({found[3]}{behind})"
        if lead.address:
            return f"{mark}[{label}]({lead.address}{behind})"
        self._miss_anchor(to)
        if "![" in label:
            return f"{label} {_link(lead.title, '')}"
        return _link(lead.title, label, is_cell=self._is_cell(found))

    def _wiki(self, found: re.Match[str]) -> str:
        mark, anchor, label = found[1], found[3] or "", found[4]
        to = found[2].strip().removesuffix("\\")  # [[Title\|label]] in a table
        if not to:
            return f"[{label or anchor[1:]}]({self._here(anchor[1:])})"
        lead = self._lead(to, True)
        if lead is None:
            return found[0]
        if lead.address:
            return f"{mark}[{label or to.rpartition('/')[2]}]({lead.address})"
        if mark:
            self._report(f"the page {to} was shown in this one; now it is a link")
        self._miss_anchor(anchor)
        label = label or (to if slugify(to) != slugify(lead.title) else "")
        return _link(lead.title, label, is_cell=self._is_cell(found))

    def _is_cell(self, found: re.Match[str]) -> bool:
        """Whether it stands in a row of a table, where a bar would end the cell."""
        text = found.string
        line, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
        before, behind = text[line : found.start()], text[found.end() : end if end >= 0 else None]
        before = before if line else self._around[0] + before
        behind = behind if end >= 0 else behind + self._around[1].partition("\n")[0]
        return before.lstrip("> \t").startswith("|") or " | " in before or " | " in behind

    def _here(self, called: str) -> str:
        """Where a heading of the text itself is."""
        return f"#h-{self._anchors.get(unquote(called).casefold()) or slugify(unquote(called))}"

    def _lead(self, to: str, is_wiki: bool) -> Lead | None:
        return self._resolve(re.split(r"[#?]", to, maxsplit=1)[0], is_wiki)

    def _miss_anchor(self, to: str) -> None:
        _, hash_sign, anchor = to.partition("#")
        if hash_sign and anchor:
            self._report(f"a link to #{anchor} now leads to the top of its page")


def _link(title: str, label: str, *, is_cell: bool = False) -> str:
    """A link to the page `title` that shows `label`."""
    shown = " ".join(re.sub(r"\*\*|`", "", label).split())
    shown = shown.translate(str.maketrans("[]|", "()/"))[:300]
    is_plain = target_of(title).space_slug is None
    inside = title if is_plain else slugify(title)
    bar = "\\|" if is_cell else "|"
    if shown in ("", title):
        return f"[[{inside}]]" if is_plain else f"[[{inside}{bar}{title}]]"
    return f"[[{inside}{bar}{shown}]]"
