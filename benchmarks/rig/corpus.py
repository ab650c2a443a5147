"""Pages as a wiki of ideas has them: made by chance from a seed, alike at every run.

Words follow Zipf's law over a vocabulary of its own; sizes vary as people's pages do (most short, a
few long); there are headings, lists, tasks, tables, quotes, code, and links from page to page.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = ("idea", "idea", "idea", "note", "note", "post", "question")
TAGS = ("energy", "garden", "school", "transport", "water", "housing", "music", "software")
_ONSETS = "bcdfghjklmnprstvw"
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ee", "io", "ou")
_CODAS = ("", "", "l", "m", "n", "r", "s", "t", "nd", "rn", "st")
_SMALL = ("the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "as", "with", "on", "we")


@dataclass(frozen=True, slots=True)
class Draft:
    """A page to be. `rare` is a word of its own, which only this page has; `space` a title."""

    title: str
    kind: str
    tags: tuple[str, ...]
    text: str
    rare: str
    space: str = "Ideas"


class Corpus:
    """The same for the same seed."""

    def __init__(self, seed: int = 7, words: int = 12_000) -> None:
        self._chance = random.Random(seed)
        made = {self._word() for _ in range(words * 2)} - set(_SMALL)
        self.words = sorted(made)[:words]
        self._chance.shuffle(self.words)
        self._weights = [1 / (rank + 3) for rank in range(len(self.words))]
        self._cumulative = list(_running_sums(self._weights))

    def drafts(self, count: int) -> Iterator[Draft]:
        chance = self._chance
        titles: list[str] = []
        for number in range(count):
            title = f"{' '.join(self.some(chance.randint(2, 4))).capitalize()} {number}"
            titles.append(title)
            rare = f"zq{number:x}x"
            tags = tuple(chance.sample(TAGS, chance.randint(0, 3)))
            text = self._text(titles, rare)
            yield Draft(title, chance.choice(KINDS), tags, text, rare)

    def some(self, count: int) -> list[str]:
        """Words, the common ones more often."""
        return self._chance.choices(self.words, cum_weights=self._cumulative, k=count)

    def _word(self) -> str:
        chance = self._chance
        parts = range(chance.choice((1, 2, 2, 2, 3)))
        return "".join(
            chance.choice(_ONSETS) + chance.choice(_VOWELS) + chance.choice(_CODAS) for _ in parts
        )

    def _text(self, titles: list[str], rare: str) -> str:
        chance = self._chance
        parts = [self._paragraph(titles)]
        for _ in range(min(40, max(1, round(chance.lognormvariate(1.2, 0.8))))):
            parts.append(f"## {' '.join(self.some(3)).capitalize()}")
            parts.append(self._paragraph(titles))
            parts.append(chance.choice((self._list, self._tasks, self._table, self._quote))())
        return "\n\n".join(parts) + f"\n\n```python\n{rare} = {len(titles)}\n```\n"

    def _sentence(self) -> str:
        words = self.some(self._chance.randint(5, 12))
        for at in range(1, len(words), 2):
            words.insert(at, self._chance.choice(_SMALL))
        return " ".join(words).capitalize() + "."

    def _paragraph(self, titles: list[str]) -> str:
        sentences = [self._sentence() for _ in range(self._chance.randint(2, 6))]
        if self._chance.random() < 0.5:
            sentences.append(f"See [[{self._chance.choice(titles)}]] and **{self.some(1)[0]}**.")
        return " ".join(sentences)

    def _list(self) -> str:
        return "\n".join(f"- {self._sentence()}" for _ in range(self._chance.randint(2, 6)))

    def _tasks(self) -> str:
        return "\n".join(f"- [{self._chance.choice(' x')}] {self._sentence()}" for _ in range(3))

    def _table(self) -> str:
        rows = [f"| {' | '.join(self.some(3))} |" for _ in range(4)]
        return "\n".join((rows[0], "|---|---|---|", *rows[1:]))

    def _quote(self) -> str:
        return f"> {self._sentence()}"


def _running_sums(weights: list[float]) -> Iterator[float]:
    total = 0.0
    for weight in weights:
        total += weight
        yield total
