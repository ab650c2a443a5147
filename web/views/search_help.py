"""How to ask, shown on words that there are: every example finds something."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from web.asked import Asked
from wiki.page import Page
from wiki.space import Space

_WORD = re.compile(r"[^\W\d_]{4,}")


class Example(NamedTuple):
    text: str
    about: str

    @property
    def url(self) -> str:
        return Asked(self.text, {}).address()


def examples(
    recent: Sequence[Page], spaces: Sequence[Space], names: Mapping[str, str]
) -> list[Example]:
    """One for each thing that can be asked, as far as the pages give words for it."""
    words = list(
        dict.fromkeys(word.casefold() for one in recent for word in _WORD.findall(one.title))
    )
    phrase = next((two for one in recent if (two := _phrase(one.title))), "")
    statuses = [one.status for one in recent if one.status]
    authors = [names[one.modified_by] for one in recent if one.modified_by in names]
    found: list[tuple[str, str]] = []
    if phrase:
        found.append((f'"{phrase}"', "these words, in this order"))
    if words:
        longest = max(words[:8], key=len)
        found += [
            (f"{longest[:4]}*", "words that begin so"),
            (f"{_misspelt(longest)}~", "words that are spelt nearly so"),
            (f"was:{words[0]}", "what a page says, or once said"),
            (f"title:{words[0]}", "only in titles"),
        ]
    if len(words) > 1:
        found.append((f"{words[0]} OR {words[-1]}", "one or the other"))
        found.append((f"{words[0]} NOT {words[-1]}", "one without the other"))
    found += [(f"tag:{tag}", "pages with this tag") for one in recent[:1] for tag in one.tags[:1]]
    found += [
        (f"status:{_value(status.casefold())}", "what became of it") for status in statuses[:1]
    ]
    found += [(f"kind:{one.kind}", "pages of this kind") for one in recent[:1]]
    found += [(f"author:{_value(author)}", "who wrote on it") for author in authors[:1]]
    found += [(f"space:{one.slug}", "only in this space") for one in spaces[:1]]
    found += [(f"after:{_month(one)}", "changed since then") for one in recent[:1]]
    return [Example(text, about) for text, about in found]


def _value(text: str) -> str:
    """As a field takes it."""
    return text if text.isalnum() else f'"{text}"'


def _month(one: Page) -> str:
    return datetime.fromtimestamp(one.modified_at_ms / 1000, UTC).strftime("%Y-%m")


def _phrase(title: str) -> str:
    """Two neighbouring words of it."""
    found = re.search(r"[^\W\d_]{2,} [^\W\d_]{2,}", title)
    return found[0].casefold() if found else ""


def _misspelt(word: str) -> str:
    """With a letter missing."""
    return word[:2] + word[3:]
