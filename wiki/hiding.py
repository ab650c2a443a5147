"""What is left of a fact once words are taken out of it. Pure.

In place of words stands a mark; what they could be told by goes too: the address that a title made,
tags, the hash of a text that held them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wiki import record, views
from wiki.gate import parse_state_vector
from wiki.names import slugify
from wiki.phrase import Ranges, folded

Hide = Callable[[str], str]


def without_words(
    told: Mapping[str, Any], names: Iterable[str], hide: Hide, wanted: str
) -> dict[str, Any]:
    """The fact, its words hidden; `wanted` are the words, "" for all."""
    out = dict(told)
    for name in names:
        if isinstance(out.get(name), str):
            out[name] = hide(out[name])
    if out.get("title") != told.get("title"):
        out["title"] = " ".join(out["title"].split())[:200]
        if "slug" in out:
            out["slug"] = slugify(out["title"])
    elif isinstance(out.get("slug"), str) and wanted and slugify(wanted) in out["slug"]:
        out["slug"] = slugify(hide(wanted))
    if isinstance(out.get("tags"), list):
        is_said = folded if wanted else None
        out["tags"] = [
            tag for tag in out["tags"] if is_said and slugify(wanted) not in is_said(tag)
        ]
    if isinstance(anchor := out.get("anchor"), dict) and hide(anchor["quote"]) != anchor["quote"]:
        out["anchor"] = {**anchor, "quote": "", "digest": ""}
    return out


def without_file(told: dict[str, Any]) -> dict[str, Any]:
    """The fact; if it added a file, without what that was."""
    if told.get("name") != "attach":
        return told
    return {**told, "digest": views.GONE_DIGEST, "file": "(redacted)", "size": 0}


def unprovable(told: dict[str, Any], ranges: Ranges) -> dict[str, Any]:
    """Without the hash of a text that held what is taken out: short words could be guessed."""
    spoken = told.get("text")
    if not ranges or not isinstance(spoken, dict) or not spoken.get("hash"):
        return told
    known = parse_state_vector(record.bytes_of(spoken["vector"]))
    holds = any(ranges[client][0][0] < known.get(client, 0) for client in ranges)
    return {**told, "text": {**spoken, "hash": ""}} if holds else told


def mark_of(thing_id: str) -> str:
    """What stands in place of words; other than on any other page, as titles must be."""
    return f"(redacted {thing_id[:6]})"
