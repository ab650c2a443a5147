"""What somebody may have meant. Better words are taken only from pages that the asker may read:
those that have a word like the one that was typed, best beside the other words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from search import words
from search.index import BODY, HEADINGS, TITLE
from search.languages import tokens, words_of_length
from search.tree import AllOf, Node

PAGES = 12  # that better words are taken from
READ_CHARS = 6_000  # of each
FEW = 3  # hits or fewer: perhaps something else was meant
TIMES = 5  # as many hits as that, and it is worth saying
MAX_WORDS = 8  # of a query that is corrected
_PLACES = frozenset((TITLE, HEADINGS, BODY))


def may_be_wrong(word: str) -> bool:
    """Short words and numbers are what they are."""
    return len(word) >= words.TYPO_CHARS and word.isalpha()


def like(word: str, distance: int, beside: Iterable[str] = ()) -> Node:
    """Finds pages with a word so many changes away at most, and with the others."""
    near = words.near(word, distance, _PLACES)
    others = [words.word(one) for one in beside]
    return AllOf((near, *others) if near else tuple(others))


def better(word: str, texts: Iterable[str]) -> str | None:
    """The word of `texts` that is most like it, of those as like the most frequent one."""
    limit, counts = words.typos(word), Counter[str]()
    low, high = len(word) - limit, len(word) + limit
    for text in texts:
        counts.update(words_of_length(text[:READ_CHARS], low, high))
    found = []
    for other, count in counts.items():
        if may_be_near(word, other, limit) and (distance := edits(word, other, limit)):
            found.append((distance, -count, other))
    return min(found)[2] if found else None


def replaced(text: str, instead: Mapping[str, str]) -> str:
    """What was typed, with other words; its marks and spaces stay."""
    out, at = [], 0
    for token in tokens(text):
        if not token.is_run and token.text in instead:
            out += [text[at : token.start], instead[token.text]]
            at = token.end
    return "".join(out) + text[at:]


def is_near(word: str, wanted: str, limit: int) -> bool:
    """Whether one turns into the other with so many changes; mostly told from their letters."""
    return may_be_near(word, wanted, limit) and edits(word, wanted, limit) is not None


def may_be_near(word: str, wanted: str, limit: int) -> bool:
    """False: it surely is not. Quick."""
    if not -limit <= len(word) - len(wanted) <= limit:
        return False
    return len(set(wanted).difference(word)) <= limit


def edits(word: str, wanted: str, limit: int) -> int | None:
    """How many letters more, fewer, other or changed with their neighbour it takes to turn one
    into the other; None for more than `limit`."""
    if abs(len(word) - len(wanted)) > limit:
        return None
    before: list[int] = []
    row = list(range(len(wanted) + 1))
    for i, a in enumerate(word, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(wanted, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == wanted[j - 2] and word[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return None
    return row[-1] if row[-1] <= limit else None
