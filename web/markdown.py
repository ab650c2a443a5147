"""Markdown → HTML that is safe to show: markdown-it-py with raw HTML off, then nh3.

Beyond CommonMark: tables, strikethrough, task lists, footnotes, bare addresses as links, anchors on
headings, `[[links]]` between pages, and `<br>`. The result depends on the text and on where its
links lead, so it is kept under the hash of both.

Some texts take a parser very long (`[[[[…`); one that is not done in time is shown as it was typed.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore, linkify
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline import linkify as linkify_here
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from wiki.exchange.reading import line_break
from wiki.links import Target, target_of
from wiki.names import slugify

KEPT: Final = 2000  # renderings
PARSE_SECONDS: Final = 4.0  # of processor time; the largest honest page takes about two
LONGEST_WORD: Final = 2000  # in which addresses are looked for
TOC_LEVELS: Final = ("h2", "h3")
Leads = Mapping[Target, str | None]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """`html` is safe; `toc` has the headings of the second and third level."""

    html: Markup
    toc: tuple[Heading, ...]


class Renderer:
    """Renders off the event loop, each text once, however many ask for it at the same time."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept: OrderedDict[bytes, Rendered] = OrderedDict()
        self._most = kept
        self._making: dict[bytes, asyncio.Task[Rendered]] = {}

    async def render(self, text: str, leads: Leads, space_slug: str) -> Rendered:
        """`leads`: the address of each link's page, None for one that is not there yet."""
        key = _key(text, leads, space_slug)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        making = self._making.get(key)
        if making is None:
            making = asyncio.create_task(self._make(key, text, leads, space_slug), name="render")
            self._making[key] = making
        return await asyncio.shield(making)  # who goes away does not take it from the others

    async def _make(self, key: bytes, text: str, leads: Leads, space_slug: str) -> Rendered:
        try:
            made = await asyncio.to_thread(render, text, leads, space_slug)
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return made
        finally:
            del self._making[key]


def render(
    text: str, leads: Leads, space_slug: str, parse_seconds: float = PARSE_SECONDS
) -> Rendered:
    """See `Renderer.render`."""
    until = time.thread_time() + parse_seconds
    environment = {"leads": leads, "space_slug": space_slug, "until": until}
    try:
        tokens = _markdown.parse(text, environment)
    except TimeoutError:
        return Rendered(_AS_TYPED.format(text), ())
    toc = _anchored(tokens)
    html = _markdown.renderer.render(tokens, _markdown.options, environment)
    return Rendered(Markup(_clean(html)), tuple(one for one in toc if one.level in (2, 3)))


def _key(text: str, leads: Leads, space_slug: str) -> bytes:
    around = repr((space_slug, [(target, at) for target, at in leads.items()]))
    seen = hashlib.sha256(f"{len(around)} {around}".encode())  # its length: nothing runs together
    seen.update(text.encode())
    return seen.digest()


def _anchored(tokens: Sequence[Token]) -> list[Heading]:
    """Give headings their anchors; a second one of the same name gets a number."""
    headings: list[Heading] = []
    taken: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        words = (
            "".join(
                child.content
                for child in inline.children or ()
                if child.type in ("text", "code_inline")
            )
            or inline.content
        )
        anchor = slugify(words)
        taken[anchor] = taken.get(anchor, 0) + 1
        if taken[anchor] > 1:
            anchor = f"{anchor}-{taken[anchor]}"
        opening.attrSet("id", f"h-{anchor}")
        headings.append(Heading(int(opening.tag[1]), f"h-{anchor}", words))
    return headings


def _in_time(state: StateInline | StateBlock, *_: object) -> bool:
    """A rule that never matches, and ends the parsing of what takes too long."""
    if time.thread_time() > state.env.get("until", math.inf):
        raise TimeoutError
    return False


def _linkify_here(state: StateInline, silent: bool) -> bool:
    """As `_linkify`, where the parser stands."""
    is_one = state.src[state.pos] == ":" and not _ENDLESS.match(state.src, state.pos)
    return is_one and linkify_here(state, silent)


def _linkify(state: StateCore) -> None:
    """Bare addresses become links, but not inside of endless words: that is quadratic. Where none
    can be, it is not looked for one: that took a third of the time."""
    every = state.tokens
    state.tokens = [
        token
        for token in every
        if _ADDRESS.search(token.content) and not _ENDLESS.search(token.content)
    ]
    linkify(state)
    state.tokens = every


def _wiki_link(state: StateInline, silent: bool) -> bool:
    """`[[Title]]`, `[[space/Title|label]]`, as `links` reads them."""
    if not state.src.startswith("[[", state.pos):
        return False
    end = state.src.find("]]", state.pos + 2, min(state.posMax, state.pos + 700))
    inside = state.src[state.pos + 2 : end] if end > 0 else ""
    if not inside.strip() or any(mark in inside for mark in "[]\n"):
        return False
    title, _, label = inside.partition("|")
    target = target_of(title, label)
    if not target.title:
        return False
    if not silent:
        leads: Leads = state.env.get("leads", {})
        address = leads.get(target)
        opening = state.push("link_open", "a", 1)
        if address is None:
            home = target.space_slug or state.env.get("space_slug", "")
            address = f"/s/{quote(home)}/new?title={quote(target.title)}"
            opening.attrSet("class", "is-missing")
            opening.attrSet("title", "There is no such page yet; open to write it")
        opening.attrSet("href", address)
        state.push("text", "", 0).content = target.label or target.title
        state.push("link_close", "a", -1)
    state.pos = end + 2
    return True


def _link_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    href = str(tokens[index].attrGet("href") or "")
    if href.startswith(("http://", "https://", "//")):
        tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return self.renderToken(tokens, index, options, env)


def _image(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("loading", "lazy")
    return RendererHTML.image(self, tokens, index, options, env)


def _cell_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """Alignment as a class: styles in attributes are not allowed on our pages."""
    style = tokens[index].attrs.pop("style", None)
    if style is not None:
        side = str(style).rpartition(":")[2].strip()
        if side in ("center", "right"):
            tokens[index].attrSet("class", f"align-{side}")
    return self.renderToken(tokens, index, options, env)


def _new_markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": True, "typographer": False})
    made.enable(["table", "strikethrough", "linkify"])
    made.use(footnote_plugin).use(tasklists_plugin, enabled=False, label=True)
    made.inline.ruler.before("link", "wiki_link", _wiki_link)
    made.inline.ruler.before("autolink", "line_break", line_break)
    made.core.ruler.at("linkify", _linkify)
    made.inline.ruler.at("linkify", _linkify_here)
    made.inline.ruler.before("text", "in_time", _in_time)
    made.block.ruler.before("table", "in_time", _in_time)
    for rule, function in (
        ("link_open", _link_open),
        ("image", _image),
        ("th_open", _cell_open),
        ("td_open", _cell_open),
    ):
        made.add_render_rule(rule, function)
    return made


_ADDRESS = re.compile(r"[.:@/]\S")  # what every address has somewhere: a host, a scheme, an "@"
_ENDLESS = re.compile(rf"\S{{{LONGEST_WORD}}}")
_AS_TYPED = Markup(
    '<p class="notice">This text is too intricate to be laid out; here it is as it was typed.</p>\n'
    '<pre class="source"><code>{}</code></pre>'
)
_markdown = _new_markdown()
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"id", "class"},
    "a": {"href", "title", "rel"},
    "img": {"src", "alt", "title", "loading", "width", "height"},
    "input": {"type", "checked", "disabled"},
    "ol": {"start"},
}
_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "blockquote", "pre", "hr", "br", "section"),
    *("ul", "ol", "li", "input", "label", "table", "thead", "tbody", "tr", "th", "td"),
    *("a", "img", "em", "strong", "s", "del", "code", "sup"),
}


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
