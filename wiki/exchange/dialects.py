"""What generators of sites write around Markdown, as Markdown that everybody reads. Pure.

    :::tip Title … :::                  VitePress, Docusaurus       a quote:  > **Tip: Title**
    > [!TIP] Title                      GitHub, Obsidian            a quote:  > **Tip: Title**
    {{< admonition type="note" >}}      Hugo (also alert, callout)  a quote:  > **Note**
    {{% tab "Java" %}} … {{% /tab %}}   Hugo                        **Java**, and what is in it
    {{< figure src="x.png" alt="X" >}}  Hugo                        ![X](x.png)
    {{< youtube id >}}                  Hugo                        a link
    {{% param x %}}                     Hugo                        the field x on top
    [[toc]], {{< toc >}}                                            nothing: pages have a contents
    <!-- remark -->                                                 nothing
    <img>, <a href>, <b>, <code>, …     HTML                        ![…](…), […](…), **…**, `…`

Code is left alone. What has no counterpart stays as it was written, and the report says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from wiki.exchange import fences
from wiki.exchange.front_matter import Fields
from wiki.exchange.headings import without_names

Report = Callable[[str], None]

_KINDS: Final = (
    *("note", "tip", "info", "warning", "danger", "caution", "important", "success", "details"),
    *("question", "example", "abstract", "hint", "attention", "error", "notice", "alert"),
)
_HUGO_NOTES: Final = ("alert", "admonition", "callout", "notice", "hint", *_KINDS)
_FRAMES: Final = (  # arrange what is in them; what is in them stays
    *("tabpane", "tabs", "tab-content", "tab", "codetabs", "docs/ignore", "responsive-table"),
    *("section", "collapse", "expand", "details", "blocks/section", "qa", "cardpane", "card"),
)
_TABS: Final = ("tab", "tab-content", "expand")
_SHORTCODE = re.compile(
    r"\{\{(?:<|%)\s*(?P<end>/?)\s*(?P<name>[\w./-]+)(?P<rest>[^{}]*?)/?\s*[%>]\}\}"
)
_CALLOUT = re.compile(r"(?P<quote>\s*(?:>[ ]?)+)\[!(?P<kind>\w+)\][+-]?\s*(?P<title>.*)$")
_PARAM = re.compile(r"\{\{[<%]\s*_?param\s+[\"'`]?([\w.-]+)[\"'`]?\s*[%>]\}\}")
_OPENED = re.compile(r"(?P<in>\s*):{3,}\s*(?P<kind>[A-Za-z-]+)[ \t]*(?P<title>.*?)\s*$")
_CLOSED = re.compile(r"\s*:{3,}\s*$")
_ARGUMENT = re.compile(
    r"(?:([\w-]+)\s*=\s*)?(?:\"((?:[^\"\\]|\\.)*)\"|`([^`]*)`|'([^']*)'|([^\s\"'`=]+))"
)
_TOC = re.compile(r"\s*(?:\[\[_?toc_?\]\]|\[TOC\]|\$\{toc\}|\{:toc\})\s*$", re.IGNORECASE)
_SPAN = re.compile(r"(`+)(?:(?!\1).)+?\1(?!`)")
_REMARK = re.compile(r"(?<!\\)<!--(?:(?!<!--).)*?-->")
_ATTRIBUTE = r"""(?:\s+[\w:@.-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|\{[^{}]*\}|[^\s"'<>=`]+))?)*"""
_IMG = re.compile(rf"(?<!\\)<img(?P<rest>{_ATTRIBUTE})\s*/?>", re.IGNORECASE)
_A = re.compile(rf"(?<!\\)<a(?P<rest>{_ATTRIBUTE})\s*>(?P<label>[^<>]*)</a>", re.IGNORECASE)
_BEGUN = re.compile(r"\s*(?:\{\{[<%]\s*[\w/-]+|<(?:img|a|div|p|span|details))(?:\s[^<>{}]*)?$")
_TAG_LINES: Final = 20
_EMPTY = re.compile(rf"(?<!\\)<(i|b|sup|sub|em|span){_ATTRIBUTE}\s*(?:/>|>\s*</\1>)", re.IGNORECASE)
_COMMENT = re.compile(r"\{\{[<%]\s*comment\s*[%>]\}\}[^{}]*\{\{[<%]\s*/comment\s*[%>]\}\}")
_WRAPPER = re.compile(
    rf"(?<!\\)</?(?:div|span|p|center|details|section|figure|picture|small|font|u|a|script|style)"
    rf"{_ATTRIBUTE}\s*/?>",
    re.IGNORECASE,
)
_MARKED: Final = (
    (re.compile(r"(?<!\\)<(b|strong)>\s*([^<>]+?)\s*</\1>", re.IGNORECASE), r"**\2**"),
    (re.compile(r"(?<!\\)<(i|em)>\s*([^<>]+?)\s*</\1>", re.IGNORECASE), r"*\2*"),
    (re.compile(r"(?<!\\)<(code|tt|kbd)>([^<>`]+)</\1>", re.IGNORECASE), r"`\2`"),
    (re.compile(r"(?<!\\)<(summary|figcaption)>\s*(.+?)\s*</\1>", re.IGNORECASE), r"**\2**"),
    (re.compile(r"(?<!\\)<h([1-6])[^<>]*>\s*([^<>]+?)\s*</h\1>", re.IGNORECASE), r"**\2**"),
)
_LONGEST_LINE: Final = 20_000  # in which something is looked for
_BLOCK = re.compile(r"\s*<(script|style)(?:\s[^<>]*)?>", re.IGNORECASE)


def plain(text: str, report: Report, fields: Fields) -> str:
    """`text` in Markdown alone, as far as it goes. `report` is told what is lost by it. `fields`
    are those on top of the file."""

    def field(found: re.Match[str]) -> str:
        value = fields.get(found[1].lower())
        return value if isinstance(value, str) and value else found[0]

    if "{{" in text:
        text = _PARAM.sub(field, text)
    return "\n".join(_Writing(report).written(text))


def bare(line: str) -> str:
    """A line in Markdown, and without the HTML that only arranges; nothing is told."""
    return _Writing(lambda what: None).bare(line)


class _Writing:
    """Reads line by line. `_open`, `_is_quoted`: the containers around it, outermost first."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._open: list[tuple[str, int]] = []  # its sign, how far it is indented
        self._is_quoted: list[bool] = []
        self._endless: set[str] = set()  # ends of blocks that do not come any more

    def written(self, text: str) -> Iterator[str]:
        last = ""
        for is_code, line in fences.marked(self._without_blocks(text)):
            if is_code or len(line) > _LONGEST_LINE:
                last = self._within(line)
                yield last
                continue
            for made in self._prose(line):
                if made.strip("> \t") or made != last or line == made:  # one empty line of ours
                    yield made
                last = made

    def _without_blocks(self, text: str) -> Iterator[str]:
        """Remarks and programs of several lines are left out."""
        every = text.split("\n")
        coded = [is_code for is_code, _ in fences.marked(every)]
        at = 0
        while at < len(every):
            end = None if coded[at] else self._end_of_block(every, at)
            if end is None:
                count = 1 if coded[at] else _lines_of_tag(every, at)
                yield " ".join([every[at], *(one.strip() for one in every[at + 1 : at + count])])
                at += count
            else:
                at = end + 1

    def _end_of_block(self, every: list[str], at: int) -> int | None:
        line = every[at].lstrip()
        block = _BLOCK.match(line)
        if block:
            ending, told = f"</{block[1].lower()}>", "programs and styles in it are left out"
        elif line.startswith("<!--") and "-->" not in line:
            ending, told = "-->", "remarks in it are left out"
        elif line.startswith("{{") and re.match(r"\{\{[<%]\s*comment\s*[%>]\}\}\s*$", line):
            ending, told = "/comment", "remarks in it are left out"
        else:
            return None
        if ending in self._endless:
            return None
        end = next((n for n in range(at, len(every)) if ending in every[n].lower()), None)
        if end is None:
            self._endless.add(ending)
        else:
            self._report(told)
        return end

    def _prose(self, line: str) -> Iterator[str]:
        if _TOC.match(line):
            return
        if "{{" in line and _COMMENT.search(line):
            self._report("remarks in it are left out")
            line = _COMMENT.sub("", line).strip()
        callout = _CALLOUT.match(line)
        if callout:
            yield self._within(f"{callout['quote']}**{_head(callout['kind'], callout['title'])}**")
            yield self._within(callout["quote"].rstrip())
            return
        opened = _OPENED.match(line)
        if opened:
            yield from self._opened(opened, line)
        elif _CLOSED.match(line) and self._open and self._open[-1][0] == ":::":
            yield from self._close(":::")
        elif "{{" in line and (found := _shortcodes_in(line)):
            yield from self._shortcodes(line, found)
        else:
            yield from self._said(line)

    def bare(self, line: str) -> str:
        return self._outside_code(line, self._without_html)

    def _said(self, line: str) -> Iterator[str]:
        plain_line = self.bare(line)
        if plain_line.strip() or not line.strip():
            yield self._within(without_names(plain_line))

    def _within(self, line: str) -> str:
        depth = sum(self._is_quoted)
        if not depth:
            return line
        cut = next(n for (_, n), quoted in zip(self._open, self._is_quoted, strict=True) if quoted)
        here = len(line) - len(line.lstrip(" \t"))
        return (
            f"{line[: min(cut, here)] or ' ' * cut}{'> ' * depth}{line[min(cut, here) :]}".rstrip()
        )

    # -- containers

    def _opened(self, opened: re.Match[str], line: str) -> Iterator[str]:
        kind = opened["kind"].lower()
        title = re.sub(r"\{[^{}]*\}", "", opened["title"]).strip().strip("[]").strip()
        if kind in _KINDS:
            yield from self._quote(":::", len(opened["in"]), kind, title)
        else:
            if kind not in ("code-group", "raw", "v-pre", "tabs", "tab"):
                self._report("containers it uses have no counterpart; what is in them stays")
            self._open.append((":::", len(opened["in"])))
            self._is_quoted.append(False)

    def _quote(self, sign: str, indent: int, kind: str, title: str) -> Iterator[str]:
        self._open.append((sign, indent))
        self._is_quoted.append(True)
        yield self._within(f"{' ' * indent}**{_head(kind, title)}**")
        yield self._within(" " * indent)

    def _close(self, sign: str) -> Iterator[str]:
        """The innermost container with this sign ends, and what was left open in it."""
        signs = [one for one, _ in self._open]
        if sign not in signs:
            return
        at = len(signs) - 1 - signs[::-1].index(sign)
        was_quoted = any(self._is_quoted[at:])
        del self._open[at:], self._is_quoted[at:]
        if was_quoted:
            yield self._within("")

    # -- shortcodes

    def _shortcodes(self, line: str, every: list[re.Match[str]]) -> Iterator[str]:
        """Those that stand alone on the line or beside each other; else what is in a sentence."""
        indent = len(line) - len(line.lstrip())
        rest, at = "", 0
        for found in every:
            rest += (
                line[at : found.start()] if rest or at == 0 else line[at : found.start()].lstrip()
            )
            at = found.end()
            name, arguments = found["name"].lower(), _arguments(found["rest"])
            if name in _HUGO_NOTES and not found["end"]:
                if rest.strip():
                    yield from self._said(rest)
                rest = ""
                kind = arguments.get("type", name if name in _KINDS else "note").lower()
                title = arguments.get("title", "").strip()
                yield from self._quote(name, indent, kind, title)
            elif name in _HUGO_NOTES:
                if rest.strip():
                    yield from self._said(rest)
                rest = ""
                yield from self._close(name)
            else:
                rest += self._inline(found, name, arguments)
        rest += line[at:] if rest else line[at:].lstrip()
        if rest.strip():
            yield from self._said(rest)
        elif rest is not None and "/" in line:
            yield self._within("")

    def _inline(self, found: re.Match[str], name: str, arguments: dict[str, str]) -> str:
        if name in _FRAMES:
            named = ("header", "name", "title", *(("",) if name in _TABS else ()))
            head = next((arguments[one].strip() for one in named if arguments.get(one)), "")
            return f"**{head}**" if head and not found["end"] else ""
        if name == "figure" and (source := arguments.get("src")):
            said = arguments.get("alt") or arguments.get("caption") or arguments.get("title") or ""
            return f"![{_label(said)}](<{source}>)"
        if name == "youtube" and (video := arguments.get("id") or arguments.get("")):
            said = arguments.get("title") or "Video"
            return f"[{_label(said)}](https://www.youtube.com/watch?v={video})"
        if name == "toc":
            return ""
        if name not in ("ref", "relref"):  # relinking leads them
            self._report(f"what the site's program puts in for {{{{{name}}}}} is not there")
        return found[0]

    # -- HTML

    def _outside_code(self, line: str, change: Callable[[str], str]) -> str:
        if "<" not in line:
            return line
        kept: list[str] = []
        at = 0
        for span in _SPAN.finditer(line):
            kept += [change(line[at : span.start()]), span[0]]
            at = span.end()
        return "".join([*kept, change(line[at:])])

    def _without_html(self, prose: str) -> str:
        if "<" not in prose:
            return prose
        if _REMARK.search(prose):
            self._report("remarks in it are left out")
            prose = _REMARK.sub("", prose)
        prose = _IMG.sub(self._image, prose)
        prose = _A.sub(_link, prose)
        for pattern, instead in _MARKED:
            prose = pattern.sub(instead, prose)
        bare = _WRAPPER.sub("", _EMPTY.sub("", prose))
        if bare != prose:
            self._report("HTML that only arranges (div, span, …) is left out; what is in it stays")
        return bare

    def _image(self, found: re.Match[str]) -> str:
        attributes = _arguments(found["rest"])
        source = attributes.get("src", "")
        return f"![{_label(attributes.get('alt', ''))}](<{source}>)" if source else found[0]


def _lines_of_tag(every: list[str], at: int) -> int:
    """How many lines the tag takes that begins on this one, as `<img` of many attributes."""
    if not _BEGUN.match(every[at]):
        return 1
    for count, line in enumerate(every[at + 1 : at + _TAG_LINES], 2):
        if not line.strip():
            return 1
        if ">" in line:
            return count
    return 1


def _shortcodes_in(line: str) -> list[re.Match[str]]:
    """Those that are not in code."""
    spans = [span.span() for span in _SPAN.finditer(line)] if "`" in line else []
    return [
        found
        for found in _SHORTCODE.finditer(line)
        if not any(start < found.start() < end for start, end in spans)
    ]


def _head(kind: str, title: str) -> str:
    """What stands above a note."""
    kind = "Note" if kind == "alert" else kind.capitalize()
    if not title or title.casefold() == kind.casefold():
        return kind
    return title if kind == "Details" else f"{kind}: {title}"


def _link(found: re.Match[str]) -> str:
    to = _arguments(found["rest"]).get("href", "")
    return f"[{_label(found['label'])}](<{to}>)" if to else found["label"]


def _arguments(rest: str) -> dict[str, str]:
    """`name="value"`; what has no name is "" (the first of them)."""
    found: dict[str, str] = {}
    for one in _ARGUMENT.finditer(rest):
        found.setdefault((one[1] or "").lower(), one[2] or one[3] or one[4] or one[5] or "")
    return found


def _label(said: str) -> str:
    return re.sub(r"([\[\]])", r"\\\1", " ".join(said.split()))
