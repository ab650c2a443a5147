"""How to ask, shown on words that there are: every example finds something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from web.asked import Asked
from wiki.page import Page

_WORD = re.compile(r"[^\W\d_]{4,}")


class Example(NamedTuple):
    text: str
    words: str

    @property
    def url(self) -> str:
        return Asked(self.text, {}).address()


def examples(recent: Sequence[Page]) -> list[Example]:
    """One for each thing that can be asked, as far as the pages give words for it."""
    words = [word.casefold() for one in recent for word in _WORD.findall(one.title)]
    phrase = next((found for one in recent if (found := _phrase(one.title))), "")
    tags = [tag for one in recent for tag in one.tags]
    kinds = [one.kind for one in recent]
    made: list[Example] = []
    if phrase:
        made.append(Example(f'"{phrase}"', "these words, in this order"))
    if words:
        longest = max(words[:8], key=len)
        made.append(Example(f"{longest[:4]}*", "words that begin so"))
        made.append(Example(f"{_misspelt(longest)}~", "words that are spelt nearly so"))
    if len(set(words)) > 1:
        first, second = list(dict.fromkeys(words))[:2]
        made.append(Example(f"{first} OR {second}", "one or the other"))
        made.append(Example(f"{first} NOT {second}", "one without the other"))
    if words:
        made.append(Example(f"title:{words[0]}", "only in titles"))
    made += [Example(f"tag:{tag}", "pages with this tag") for tag in tags[:1]]
    made += [Example(f"kind:{kind}", "pages of this kind") for kind in kinds[:1]]
    return made


def _phrase(title: str) -> str:
    """Two neighbouring words of it."""
    found = re.search(r"[^\W\d_]{2,} [^\W\d_]{2,}", title)
    return found[0].casefold() if found else ""


def _misspelt(word: str) -> str:
    """With a letter missing."""
    return word[:2] + word[3:]
