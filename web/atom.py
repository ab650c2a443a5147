"""An Atom feed (RFC 4287) of what was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

MEDIA_TYPE = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 §2.2


@dataclass(frozen=True, slots=True)
class Entry:
    """`id` is an IRI that stays with the page, whatever it is called; `html` is safe."""

    id: str
    title: str
    url: str
    author: str
    published_at_ms: int
    updated_at_ms: int
    html: str
    categories: Sequence[str] = ()


def feed(
    id: str, title: str, url: str, own_url: str, began_at_ms: int, entries: Sequence[Entry]
) -> bytes:
    """The document; the same entries give the same bytes. `url` is the page for people."""
    root = ElementTree.Element("feed", {"xmlns": _NAMESPACE})
    newest_ms = max((one.updated_at_ms for one in entries), default=began_at_ms)
    _add(root, "id", id)
    _add(root, "title", title)
    _add(root, "updated", _moment(newest_ms))
    _add(root, "link", rel="self", type=MEDIA_TYPE, href=own_url)
    _add(root, "link", rel="alternate", type="text/html", href=url)
    _add(root, "generator", "Groundswell")
    for one in entries:
        _add_entry(root, one)
    made: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _add_entry(root: ElementTree.Element, one: Entry) -> None:
    entry = _add(root, "entry")
    _add(entry, "id", one.id)
    _add(entry, "title", one.title)
    _add(entry, "link", rel="alternate", type="text/html", href=one.url)
    _add(_add(entry, "author"), "name", one.author or "Somebody")
    _add(entry, "published", _moment(one.published_at_ms))
    _add(entry, "updated", _moment(one.updated_at_ms))
    for category in one.categories:
        _add(entry, "category", term=category)
    _add(entry, "content", one.html, type="html")


def _add(
    parent: ElementTree.Element, name: str, text: str = "", **attributes: str
) -> ElementTree.Element:
    clean: Mapping[str, str] = {key: _NO_XML.sub("", value) for key, value in attributes.items()}
    made = ElementTree.SubElement(parent, name, dict(clean))
    made.text = _NO_XML.sub("", text) or None
    return made


def _moment(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
