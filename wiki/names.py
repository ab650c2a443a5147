"""Ids, slugs and tokens: how things are called.

person id   u:… , 16 characters of base32; says nothing about the person
page id     26 characters of base32: the hash of its `create` record (`record.id26`)
slug        a title as it stands in an address: any script, lower case, "-" for the rest
token       for links and programs; only its SHA-256 is ever stored
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import unicodedata

from wiki.errors import BadInput

MAX_TITLE_CHARS = 200
MAX_SLUG_CHARS = 120
RESERVED_SLUGS = frozenset(("new", "recent", "settings", "tags", "export", "export.zip"))


def slugify(title: str) -> str:
    """`title` as a slug; never empty, never one that an address of ours uses."""
    folded = unicodedata.normalize("NFC", title).casefold()
    kept = "".join(
        char if char.isalnum() or unicodedata.category(char).startswith("M") else "-"
        for char in folded
    )
    slug = re.sub("-+", "-", kept).strip("-")[:MAX_SLUG_CHARS].strip("-")
    if not slug:  # signs alone, such as an emoji, are told apart by their numbers
        slug = "-".join(f"u{ord(char):x}" for char in folded if not char.isspace()) or "page"
        slug = slug[:MAX_SLUG_CHARS].strip("-")
    return f"{slug}-page" if slug in RESERVED_SLUGS else slug


def check_title(title: str) -> str:
    """`title` trimmed and in NFC. Raises BadInput when it cannot be one."""
    trimmed = unicodedata.normalize("NFC", " ".join(title.split()))
    if not trimmed:
        raise BadInput("title", "give it a title")
    if len(trimmed) > MAX_TITLE_CHARS:
        raise BadInput("title", f"at most {MAX_TITLE_CHARS} characters; this has {len(trimmed)}")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co") for char in trimmed):
        raise BadInput("title", "it holds characters that cannot be shown")
    if any(char in trimmed for char in "[]|"):
        raise BadInput("title", "leave out [ ] and |, which links between pages use")
    return trimmed


def new_person_id() -> str:
    return "u:" + base64.b32encode(secrets.token_bytes(10)).decode().lower()


def new_token() -> str:
    """A secret for a link, a cookie or a program; 192 bits."""
    return secrets.token_urlsafe(24)


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
