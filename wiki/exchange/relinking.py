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
_WORDS = r"(?:[^\[\]\n]|\n(?![ \t]*\n))"
_USED = re.compile(rf"(!?)\[({_WORDS}+)\](?:\[({_WORDS}*)\](?!\()|(?![\[(:]))")
_HIDDEN = re.compile(r"\0(\d+)\0")
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
        self._code: list[str] = []  # spans of code in the prose, which `\\0n\\0` stands for

    def run(self) -> str:
        pieces = [(is_prose, self._define(p) if is_prose else p) for is_prose, p in self._pieces()]
        made = (self._relinked(piece) if is_prose else piece for is_prose, piece in pieces)
        return self._shown("".join(made))

    def _pieces(self) -> Iterator[tuple[bool, str]]:
        """Prose with its code hidden, since a link may have code in it; and fenced code."""
        said, at = "", 0
        for code in _CODE.finditer(self._text):
            said += self._text[at : code.start()]
            at = code.end()
            if code["mark"]:
                yield True, said
                yield False, code[0]
                said = ""
            else:
                self._code.append(code[0])
                said += f"\0{len(self._code) - 1}\0"
        yield True, said + self._text[at:]

    def _shown(self, text: str) -> str:
        """With its code again."""
        return _HIDDEN.sub(lambda found: self._code[int(found[1])], text)

    def _define(self, piece: str) -> str:
        """Take out definitions of what comes to lie elsewhere."""

        def keep(found: re.Match[str]) -> str:
            label, to = self._named(found[1]), found[2].strip("<>")
            if to.startswith("#"):
                return found[0].replace(to, self._here(to[1:]))
            if _ELSEWHERE.match(to) or not self._lead(to, False):
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
        to = self._defined.get(self._named(found[3] or found[2]))
        return f"{found[1]}[{found[2]}](<{to}>)" if to else found[0]

    def _named(self, label: str) -> str:
        """As references are compared (CommonMark §4.7)."""
        return " ".join(self._shown(label).casefold().split())

    def _inline(self, found: re.Match[str]) -> str:
        mark, label, to, title = found[1], found[2], found[3].strip("<>"), found[4]
        label = _INLINE.sub(self._inline, label)  # a picture that is a link
        behind = f" {title}" if title else ""
        if "\0" in to:
            return found[0]
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
        return _link(lead.title, self._shown(label), is_cell=self._is_cell(found))

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
        return _link(lead.title, self._shown(label), is_cell=self._is_cell(found))

    def _is_cell(self, found: re.Match[str]) -> bool:
        """Whether it stands in a row of a table, where a bar would end the cell."""
        text = found.string
        line, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
        before = text[line : found.start()][:_LONGEST_ROW]
        behind = text[found.end() : end if end >= 0 else None][:_LONGEST_ROW]
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
