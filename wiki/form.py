"""What a kind of fact looks like: its fields, who may do it, what it does, how it is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from wiki import page, text
from wiki.access import Action, Openness, Role
from wiki.errors import BadInput
from wiki.names import check_title

Fields = Mapping[str, Any]
MAX_REASON_CHARS: Final = 2000
MAX_PURPOSE_CHARS: Final = 10_000
MAX_WORDS_CHARS: Final = 10_000
MAX_TEXT_HASH_CHARS: Final = 43
PAGE, SPACE = "page", "space"
MAX_FILE_CHARS: Final = 200
_DIGEST = re.compile(r"([0-9a-f]{64})?")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
_MOMENT = re.compile(r"[\w-]{43}(\.[1-9][0-9]{0,5})?", re.ASCII)
_ID = re.compile(r"[\w-]{8,64}", re.ASCII)


class Act(NamedTuple):
    """Somebody did something to a page or space."""

    thing_id: str
    person_id: str
    at_ms: int


class Form(NamedTuple):
    """`fields`: name -> what it must be; all but the `optional` must be there unless `is_partial`.

    `is_of_text`: it speaks of the text as it was; the record then holds all of it, and the fact
    carries its hash and state vector. `is_change`: the page counts as changed by it."""

    fields: Mapping[str, Callable[[Any], Any]]
    apply: Callable[[Connection, Act, Fields], None]
    summary: Callable[[Fields], str]
    things: frozenset[str] = frozenset((PAGE,))
    is_partial: bool = False
    optional: frozenset[str] = frozenset()
    is_of_text: bool = False
    is_change: bool = True
    needs: Action = Action.EDIT


def nothing(conn: Connection, act: Act, fact: Fields) -> None:
    """The record of it is all there is to it."""


# -- what fields must be


def short(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_REASON_CHARS:
        raise BadInput("text", f"a text of at most {MAX_REASON_CHARS} characters")
    return value.strip()


def reason(value: Any) -> str:
    """Public, so it must say something."""
    if not (given := short(value)):
        raise BadInput("reason", "say why; others will read it")
    return given


def words(value: Any) -> str:
    """What somebody has to say: Markdown, not empty."""
    plain = text.plain(value).strip() if isinstance(value, str) else ""
    if not 0 < len(plain) <= MAX_WORDS_CHARS:
        raise BadInput("body", f"a text of 1 to {MAX_WORDS_CHARS:,} characters")
    return plain


def purpose(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_PURPOSE_CHARS:
        raise BadInput("purpose", f"a text of at most {MAX_PURPOSE_CHARS} characters")
    return value.strip()


def identity(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise BadInput("id", "8 to 64 letters, digits, - and _")
    return value


def digest(value: Any) -> str:
    """Of a file, in hex; "" once it has been redacted."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise BadInput("digest", "64 hex digits")
    return value


def file_name(value: Any) -> str:
    """One that stays in its folder, wherever it is written."""
    is_name = isinstance(value, str) and 0 < len(value) <= MAX_FILE_CHARS
    if not is_name or value.startswith(".") or any(char in "/\\\0\r\n" for char in value):
        raise BadInput("file", "the name of a file, without a folder")
    return str(value)


def media_type(value: Any) -> str:
    if not isinstance(value, str) or not _MEDIA_TYPE.fullmatch(value):
        raise BadInput("media_type", "such as image/png")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadInput("flag", "it is true or false")
    return value


def number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise BadInput("size", "a whole number")
    return value


def label(value: Any) -> str:
    """What a text is called; "" takes its name away."""
    return "" if value == "" else check_title(value)


def moment(value: Any) -> str:
    """A record, or so many parts into it."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise BadInput("of", "the id of a revision, or so many parts into it")
    return value


def tags(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        raise BadInput("tags", "a list of words")
    return list(page.check_tags(value))


def role(value: Any) -> str | None:
    if value is not None and value not in list(Role):
        raise BadInput("role", f"it is one of {', '.join(Role)}, or null")
    return None if value is None else Role(value).value


def open_role(value: Any) -> str:
    return role(value) or Role.READER.value


def openness(value: Any) -> str:
    if value not in list(Openness):
        raise BadInput("openness", f"it is one of {', '.join(Openness)}")
    return Openness(value).value


def text_state(value: Any) -> dict[str, str]:
    """`hash` and `vector` of the text that a fact speaks of; the hash is "" once a part of that
    text has been redacted, since words that one can guess could be told from it."""
    is_good = isinstance(value, Mapping) and value.keys() == {"hash", "vector"}
    if not is_good or not all(isinstance(one, str) for one in value.values()):
        raise BadInput("text", "give hash and vector")
    if len(value["hash"]) > MAX_TEXT_HASH_CHARS:
        raise BadInput("text", "its hash is too long")
    return dict(value)
