"""From a template and what it shows to an answer: every page gets what the frame needs."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from web import assets, setup
from wiki import space
from wiki.access import ANONYMOUS
from wiki.errors import Unavailable
from wiki.page import Page

_TEMPLATES = Path(__file__).parent.parent / "templates"


async def page(
    request: Request,
    template: str,
    context: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The page made of `template`; `context` is what it shows."""
    of_site = await request.app.state.site.frame.now()
    spaces = space.readable(of_site.spaces, request.state.visitor.actor)
    frame = {
        "site_name": of_site.name,
        "menu_spaces": [one for one in spaces if not one.is_archived],
        **_frame(request),
    }
    return HTMLResponse(
        environment.get_template(template).render(frame | dict(context or {})), status
    )


async def error_page(
    request: Request, status: int, title: str, sentence: str, hint: str = ""
) -> HTMLResponse:
    """What went wrong, and what to do next; also when the store is what went wrong."""
    context = {"title": title, "sentence": sentence, "hint": hint, "status": status}
    try:
        return await page(request, "error.html", context, status)
    except Unavailable:
        frame = {"site_name": setup.DEFAULT_NAME, "menu_spaces": [], **_frame(request)}
        return HTMLResponse(environment.get_template("error.html").render(frame | context), status)


def sign_in_url(next_path: str) -> str:
    return f"/sign-in?next={quote(next_path, safe='/')}"


def address_of(request: Request) -> str:
    """The address on this site that was asked for, with its query; ASCII, whatever was sent."""
    query = quote(request.scope["query_string"].decode("latin-1"), safe="%=&+;,:@!$'()*/?-._~")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def page_url(one: Page, space_slug: str) -> str:
    return f"/s/{quote(space_slug)}/{quote(one.slug)}"


def time_tag(at_ms: int | None) -> Markup:
    """A moment; the script turns it into "3 hours ago"."""
    if at_ms is None:
        return Markup("")
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Markup('<time datetime="{}" data-relative>{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), at.strftime("%-d %b %Y, %H:%M UTC")
    )


def passage(snippet_html: str) -> str:
    """The end of an address at which a browser shows the first marked words (a text directive of
    wicg.github.io/scroll-to-text-fragment); one that knows no such end passes it over."""
    found = re.search("<mark>(.*?)</mark>", snippet_html)
    if found is None:
        return ""
    return "#:~:text=" + quote(html.unescape(found[1]), safe="").replace("-", "%2D")


def month(at_ms: int) -> str:
    """As one says it years later: "March 2023"."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%B %Y")


def clock(at_ms: int) -> str:
    """The time of the day, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M")


def day(at_ms: int) -> str:
    """The day, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%-d %B %Y")


def initials(name: str) -> str:
    words = name.split()
    return "".join(
        word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)
    ).upper()


def file_size(size_bytes: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1000)):
        if size_bytes >= size:
            return f"{size_bytes / size:.1f} {unit}"
    return f"{size_bytes} bytes"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _frame(request: Request) -> dict[str, Any]:
    from_state = request.state
    return {
        "request": request,
        "path": quote(request.scope["path"]),
        "nonce": getattr(from_state, "nonce", ""),
        "actor": getattr(from_state, "actor", ANONYMOUS),
        "person": getattr(from_state, "person", None),
        "csrf_token": getattr(from_state, "csrf", ""),
        "script_url": assets.script_url(),
        "read_only_because": request.app.state.site.store.read_only_because,
    }


environment = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
environment.filters |= {
    "time": time_tag,
    "clock": clock,
    "day": day,
    "month": month,
    "passage": passage,
    "initials": initials,
    "file_size": file_size,
    "quote": lambda text: quote(str(text)),
}
environment.globals |= {
    "asset": assets.asset_url,
    "page_url": page_url,
    "plural": plural,
    "sign_in_url": sign_in_url,
}
