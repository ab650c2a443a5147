"""Wikitext to Markdown. Pure; what Markdown has no way to say stays to be seen, and is told.

Templates are programs of the wiki that they come from: they are shown as they were typed. Pictures
are not in a dump: their names and captions are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import mwparserfromhell
from mwparserfromhell.nodes import (
    Argument,
    Comment,
    ExternalLink,
    Heading,
    HTMLEntity,
    Tag,
    Template,
    Text,
    Wikilink,
)
from mwparserfromhell.wikicode import Wikicode

from wiki.exchange.as_markdown import CODE_LINE, code, escaped, fenced, marked, tidy

_FILES: Final = ("file", "image", "media")
_CATEGORY: Final = "category"
_SWITCH = re.compile(r"__[A-Z]{3,}__[ ]*")
_REDIRECT = re.compile(r"\s*#redirect\s*:?\s*(\[\[[^\[\]]+\]\])", re.IGNORECASE)
_MARKS: Final = {"b": "**", "strong": "**", "i": "*", "em": "*", "s": "~~", "del": "~~"}
_MARKS_PLAIN: Final = {"strike": "~~"}
_CODE: Final = ("pre", "source", "syntaxhighlight")
_INLINE_CODE: Final = ("code", "tt", "kbd", "samp", "var")
_ITEMS: Final = {"*": "- ", "#": "1. ", ":": "> "}
_INDENTED = re.compile(r"(?<=\n)[ ](?=\S|$)")
MAX_DEPTH: Final = 40


@dataclass
class Converted:
    """`categories` as they are called, without what stands before the colon."""

    markdown: str
    categories: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


def converted(wikitext: str, names: dict[str, str] | None = None) -> Converted:
    """`names`: how files and categories are called in the wiki's language -> File, Category."""
    made = Converted("")
    redirect = _REDIRECT.match(wikitext)
    if redirect:
        inside = Converter(made, names or {}).text(redirect[1])
        made.markdown = f"See {inside}.\n"
        made.losses.append("a redirect became a page with a link")
        return made
    try:
        body = Converter(made, names or {}).text("\n" + _SWITCH.sub("", wikitext))
    except (RecursionError, mwparserfromhell.parser.ParserError):
        made.losses.append("it is nested too deep; it is shown as it was typed")
        body = fenced(wikitext, "wikitext")
    made.markdown = tidy(body)
    return made


class Converter:
    """One text on its way. Footnotes are collected, and stand at the end."""

    def __init__(self, made: Converted, names: dict[str, str]) -> None:
        self._made, self._names = made, {name.casefold(): to for name, to in names.items()}
        self._notes: list[str] = []
        self._named: dict[str, int] = {}
        self._depth = 0

    def text(self, wikitext: str) -> str:
        body = self.nodes(mwparserfromhell.parse(wikitext))
        notes = [f"[^{number}]: {note}" for number, note in enumerate(self._notes, 1)]
        return "\n\n".join([body.rstrip("\n"), "\n".join(notes)]) if notes else body

    def nodes(self, code: Wikicode | None) -> str:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RecursionError
        out = "".join(_listed(self._pieces(code.nodes if code is not None else ())))
        self._depth -= 1
        return out

    def _pieces(self, nodes: Sequence[Any]) -> Iterator[str | Item]:
        for node in nodes:
            if isinstance(node, Tag) and node.wiki_markup in ("*", "#", ":", ";"):
                yield Item(str(node.wiki_markup))
            else:
                yield self._node(node)

    def _node(self, node: Any) -> str:
        match node:
            case Text():
                shown = escaped(str(node.value))
                return _INDENTED.sub(CODE_LINE, shown) if self._depth == 1 else shown
            case Heading():
                return f"{'#' * node.level} {self.nodes(node.title).strip()}"
            case Wikilink():
                return self._link(node)
            case ExternalLink():
                return self._outside(node)
            case Template() | Argument():
                return self._template(node)
            case Tag():
                return self._tag(node)
            case HTMLEntity():
                shown = node.normalize()
                return "\\<" if shown == "<" else escaped(shown)
            case Comment():
                self._lose("remarks that only its editors saw are left out")
                return ""
        return escaped(str(node))

    # -- links

    def _link(self, node: Wikilink) -> str:
        target = str(node.title).strip().replace("_", " ")
        label = self.nodes(node.text).strip() if node.text is not None else ""
        head, colon, rest = target.partition(":")
        kind = self._names.get(head.strip().casefold(), head.strip()).casefold() if colon else ""
        if kind == _CATEGORY and rest.strip():
            self._made.categories.append(rest.strip())
            return ""
        if kind in _FILES:
            return self._picture(rest.strip(), label)
        page, _, section = target.lstrip(":").partition("#")
        page = " ".join(page.split())
        if not page:
            return label or escaped(section)
        if section:
            self._lose("links to a heading of another page now lead to its top")
        title = re.sub(r"[\[\]|{}<>\n]", "", page[:1].upper() + page[1:])
        shown = re.sub(r"[\[\]|\n]", "", label.replace("\\", "")) or (page if page != title else "")
        return f"[[{title}|{shown}]]" if shown and shown != title else f"[[{title}]]"

    def _picture(self, name: str, label: str) -> str:
        self._lose(f"the file {name} is not in a dump; its name is shown")
        caption = label.rpartition("|")[2].strip()
        is_option = re.fullmatch(r"(thumb|left|right|center|none|frame.*|\d*x?\d+px)?", caption)
        return f"*[{escaped(name)}{'' if is_option else f': {caption}'}]*"

    def _outside(self, node: ExternalLink) -> str:
        url = str(node.url).strip().replace(" ", "%20").replace(")", "%29").replace("(", "%28")
        if url.startswith("//"):
            url = f"https:{url}"
        if not node.brackets:
            return str(node.url)
        label = self.nodes(node.title).strip() if node.title is not None else ""
        return f"[{label}]({url})" if label else f"<{url}>"

    # -- what is a program, or a tag

    def _template(self, node: Template | Argument) -> str:
        whole = str(node)
        name = " ".join(str(node.name).split())[:60]
        self._lose(f"the template {name} is shown as it was typed")
        if "\n" in whole:
            return f"\n{fenced(whole, 'wikitext')}\n"
        return code(whole)

    def _tag(self, node: Tag) -> str:
        name = str(node.tag).strip().lower()
        if name == "table":
            return self._table(node)
        if name in _MARKS or name in _MARKS_PLAIN:
            return marked(self.nodes(node.contents), _MARKS.get(name) or _MARKS_PLAIN[name])
        if name == "ref":
            return self._note(node)
        if name in _CODE or (name == "nowiki" and "\n" in str(node.contents)):
            language = _attribute(node, "lang")
            return f"\n{fenced(_raw(node), language)}\n"
        if name == "nowiki":
            return escaped(_raw(node))
        if name in _INLINE_CODE:
            return code(_raw(node))
        if name == "math":
            self._lose("formulas are shown as they were typed")
            return code(_raw(node))
        if name == "hr":
            return "\n\n---\n\n"
        if name == "br":
            return "<br>"
        if name == "blockquote":
            inside = self.nodes(node.contents).strip()
            return "\n\n" + "".join(f"> {line}\n" for line in inside.split("\n")) + "\n"
        if name in ("references", "noinclude", "includeonly"):
            return "" if name == "references" else self.nodes(node.contents)
        if name == "gallery":
            files = [line.strip() for line in _raw(node).splitlines() if line.strip()]
            shown = [self._picture(*_cut(line)) for line in files]
            return "\n\n" + "".join(f"- {one}\n" for one in shown) + "\n"
        if name in ("p", "div", "center"):
            return f"\n\n{self.nodes(node.contents).strip()}\n\n"
        if name not in ("span", "small", "big", "u", "ins", "font", "sub", "sup", "abbr"):
            self._lose(f"the tag <{name}> is left out; what is in it stays")
        else:
            self._lose("looks (sizes, colours, raised and lowered text) are left out")
        return self.nodes(node.contents)

    def _note(self, node: Tag) -> str:
        name = _attribute(node, "name")
        body = " ".join(self.nodes(node.contents).split()) if node.contents is not None else ""
        number = self._named.get(name) if name else None
        if number is None:
            self._notes.append(body)
            number = len(self._notes)
            if name:
                self._named[name] = number
        elif body and not self._notes[number - 1]:
            self._notes[number - 1] = body
        return f"[^{number}]"

    # -- tables

    def _table(self, node: Tag) -> str:
        rows: list[list[str]] = []
        caption, heads = "", 0
        loose: list[str] = []
        parts: list[Any] = node.contents.nodes
        for part in parts:
            name = str(part.tag).strip() if isinstance(part, Tag) else ""
            if name == "tr":
                cells, is_head = self._row(part.contents)
                if cells:
                    heads += not rows and is_head
                    rows.append(cells)
            elif name == "td" and str(part.contents).startswith("+"):
                caption = self._cell(part).lstrip("\\+ ")
            elif name in ("td", "th"):
                heads += not rows and not loose and name == "th"
                loose.append(self._cell(part))
            elif name == "caption":
                caption = self._cell(part)
        if loose:
            rows.insert(0, loose)
        if not rows:
            return ""
        if str(node.attributes) and re.search(r"(col|row)span", str(node)):
            self._lose("cells that span several are one cell and empty ones")
        width = max(len(row) for row in rows)
        head, body = (rows[0], rows[1:]) if heads else ([""] * width, rows)
        lines = [head, ["---"] * width, *body]
        shown = "\n".join(
            "| " + " | ".join([*line, *[""] * (width - len(line))]) + " |" for line in lines
        )
        return f"\n\n{marked(caption, '**')}\n\n{shown}\n\n"

    def _row(self, contents: Wikicode) -> tuple[list[str], bool]:
        cells = [
            part
            for part in contents.nodes
            if isinstance(part, Tag) and str(part.tag).strip() in ("td", "th")
        ]
        is_head = bool(cells) and all(str(part.tag).strip() == "th" for part in cells)
        return [self._cell(part) for part in cells], is_head

    def _cell(self, part: Tag) -> str:
        lines = [line.strip() for line in self.nodes(part.contents).strip().split("\n")]
        return re.sub(r"(?<!\\)\|", r"\\|", "<br>".join(line for line in lines if line))

    def _lose(self, what: str) -> None:
        self._made.losses.append(what)


class Item(str):
    """A sign at the start of a line of a list."""

    __slots__ = ()


def _listed(pieces: Iterator[str | Item]) -> Iterator[str]:
    """Signs of lists put together: `**` is a list in a list, `; a : b` a term and what it means."""
    signs, term = "", None
    for piece in pieces:
        if isinstance(piece, Item):
            if term is not None and piece == ":":
                yield f"{_term(term)}: "
                term = None
                signs = " "  # what follows stands close to it
            else:
                signs = signs.strip() + piece
            continue
        if signs:
            piece = piece.lstrip(" ")
            if signs.endswith(";"):
                term = ""
                yield f"\n{_lead(signs.removesuffix(';'))}"
            elif signs != " ":
                yield _lead(signs)
            signs = ""
        if term is not None:
            head, newline, rest = piece.partition("\n")
            term += head
            if not newline:
                continue
            piece, term = f"{_term(term)}\n\n{rest}", None
        yield piece
    yield _lead(signs.strip()) if term is None else _term(term)


def _term(shown: str) -> str:
    return marked(shown.replace("**", "").strip(), "**")


def _lead(signs: str) -> str:
    if not signs or set(signs) <= {":"}:
        return "> " * len(signs)
    inner = "".join("   " if sign == "#" else "  " for sign in signs[:-1])
    return inner + ("  " if signs[-1] == ":" else _ITEMS.get(signs[-1], ""))


def _cut(line: str) -> tuple[str, str]:
    name, _, caption = line.partition("|")
    return name.partition(":")[2].strip() or name.strip(), caption.strip()


def _raw(node: Tag) -> str:
    return str(node.contents) if node.contents is not None else ""


def _attribute(node: Tag, name: str) -> str:
    found = node.get(name) if node.has(name) else None
    return str(found.value).strip().strip("\"'") if found is not None and found.value else ""
