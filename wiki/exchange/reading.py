"""Pages as files that need no server: Markdown as it is, and HTML that opens in any browser.

Links between pages become links between files; files of pages are found under `attachments/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from wiki.links import Target, target_of

_FILE = re.compile(r"/files/([\w-]+)(?:/(?P<name>[^/?#]*))?$")
_BREAK = re.compile(r"<br[ ]?/?>[ ]*\n?", re.IGNORECASE)
_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)\d")  # of Windows
MAX_NAME_BYTES = 120

_STYLE = (
    "body{font:1.05rem/1.6 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c1c1c;background:#fff}img{max-width:100%}pre{overflow:auto;background:#f4f4f2;"
    "padding:.8rem}table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.3rem .6rem}"
    "blockquote{border-left:3px solid #bbb;margin-left:0;padding-left:1rem}"
    ".facts{color:#555;font-size:.9rem}.missing{color:#8a1c1c}"
    "@media(prefers-color-scheme:dark){body{color:#e8e8e4;background:#181818}"
    "pre{background:#262626}.facts{color:#aaa}a{color:#8ab8f0}}"
)
_POLICY = "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page on its way into a file at `path` (without suffix); `facts` stand below the title."""

    title: str
    path: str
    text: str
    facts: Sequence[str]


def file_name(slug: str, page_id: str) -> str:
    """`slug`, as every file system takes it: short, and no name of a device."""
    encoded = slug.encode()
    if len(encoded) <= MAX_NAME_BYTES and not _DEVICE.fullmatch(slug):
        return slug
    return f"{encoded[:MAX_NAME_BYTES].decode(errors='ignore')}-{page_id[:8]}"


def html(sheet: Sheet, leads: Mapping[Target, str | None], files: Mapping[str, str]) -> str:
    """The page as a document. `leads`: path of the file of each link's page, None for a page that
    is not in the export; `files`: attachment id -> digest."""
    body = _markdown.render(sheet.text, {"leads": leads, "files": files, "path": sheet.path})
    facts = " · ".join(map(escape, sheet.facts))
    return _document(sheet.title, f'<p class="facts">{facts}</p>\n{body}')


def contents(site: str, spaces: Iterable[tuple[str, Sequence[tuple[str, str]]]]) -> str:
    """A list of everything, for `pages/index.html`: of each space its title and its pages' titles
    and paths."""
    lines = []
    for title, pages in spaces:
        lines += [f"<h2>{escape(title)}</h2>", "<ul>"]
        for name, path in sorted(pages, key=lambda one: one[0].casefold()):
            address = _relative("pages/index", f"{path}.html")
            lines.append(f'<li><a href="{escape(address)}">{escape(name)}</a></li>')
        lines.append("</ul>")
    return _document(site, "\n".join(lines) + "\n")


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n"
        f"<h1>{escape(title)}</h1>\n{body}</html>\n"
    )


def _relative(source: str, target: str) -> str:
    return quote(os.path.relpath(target, os.path.dirname(source)))  # noqa: PTH120 - no path of ours


def _wiki_link(state: StateInline, silent: bool) -> bool:
    """`[[Title|label]]` as a link to that page's file."""
    if not state.src.startswith("[[", state.pos):
        return False
    end = state.src.find("]]", state.pos + 2, min(state.posMax, state.pos + 700))
    inside = state.src[state.pos + 2 : end] if end > 0 else ""
    title, _, label = inside.partition("|")
    target = target_of(title, label)
    if not target.title or any(char in inside for char in "[]\n"):
        return False
    if not silent:
        path = state.env["leads"].get(target)
        tag = "a" if path else "span"
        opening = state.push("wiki_open", tag, 1)
        if path:
            opening.attrSet("href", _relative(state.env["path"], f"{path}.html"))
        else:
            opening.attrSet("class", "missing")
        state.push("text", "", 0).content = target.label or target.title
        state.push("wiki_close", tag, -1)
    state.pos = end + 2
    return True


def line_break(state: StateInline, silent: bool) -> bool:
    """`<br>`, the one tag that has no other spelling in the cell of a table."""
    found = _BREAK.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _attached(attribute: str) -> Any:
    """A rule that leads `/files/…` to the exported file."""

    def rule(
        self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
    ) -> str:
        found = _FILE.match(str(tokens[index].attrGet(attribute) or ""))
        digest = env["files"].get(found[1]) if found else None
        if digest:
            there = _relative(env["path"], f"attachments/{digest}")
            tokens[index].attrSet(attribute, there)
            if attribute == "href":
                tokens[index].attrSet("download", unquote(found["name"] if found else ""))
        if tokens[index].type == "image":
            return RendererHTML.image(self, tokens, index, options, env)
        return self.renderToken(tokens, index, options, env)

    return rule


def _new_markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "typographer": False})
    made.enable(["table", "strikethrough"])
    made.use(footnote_plugin).use(tasklists_plugin, enabled=False)
    made.inline.ruler.before("link", "wiki_link", _wiki_link)
    made.inline.ruler.before("autolink", "line_break", line_break)
    made.add_render_rule("link_open", _attached("href"))
    made.add_render_rule("image", _attached("src"))
    return made


_markdown = _new_markdown()
