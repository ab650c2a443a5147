"""Words as trees: where in a page a word, a phrase, a beginning or a near word may stand, and how
much it weighs there. What a page says now weighs most, what it once said least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from search.index import (
    BODY,
    ELSE_STEMS,
    FILES,
    HEADINGS,
    NAMES,
    PAIRS,
    PAST,
    PLACES,
    STEMS,
    TALK,
    TITLE,
    stem_token,
)
from search.languages import LANGUAGES, fold, guess, is_small, pairs, stem, tokens
from search.tree import AllButOne, AllOf, AnyOf, Fuzzy, Node, Phrase, Prefer, Prefix, Term

TYPO_CHARS = 4  # a shorter word with another letter is another word
TWO_TYPOS_CHARS = 7
MAX_LOOSENED = 8
SENTENCE_WORDS = 3
WEIGHTS = {TITLE: 4.0, HEADINGS: 1.0, BODY: 1.0, NAMES: 2.0, TALK: 0.3, FILES: 0.3, PAST: 0.1}
STEM_WEIGHT, ELSE_STEM_WEIGHT = 0.5, 0.05
TITLES = frozenset((TITLE,))
EVERYWHERE = frozenset(PLACES)
EVER = frozenset((TITLE, HEADINGS, BODY, NAMES, PAST))  # what the page says or once said


def all_of(text: str, places: frozenset[str] = EVERYWHERE) -> Node | None:
    """Every word of `text`; None when there is none. What was typed in one piece (Node.js) may
    also be written as one word."""
    found = list(tokens(text))
    parts = tuple(run(one.text, places) if one.is_run else word(one.text, places) for one in found)
    if len(parts) < 2:
        return parts[0] if parts else None
    whole = AllOf(parts)
    if " " in text or any(one.is_run for one in found):
        return whole
    return AnyOf((whole, *_stems("".join(one.text for one in found), places)))


@lru_cache(maxsize=1024)
def word(text: str, places: frozenset[str] = EVERYWHERE) -> Node:
    """The folded word, or another ending of it in the language of the page."""
    exact = tuple(Term(name, text, WEIGHTS[name]) for name in PLACES if name in places)
    return AnyOf(exact + _stems(text, places))


def run(text: str, places: frozenset[str] = EVERYWHERE) -> Node:
    """Text of a script without spaces."""

    def in_field(name: str, boost: float) -> Node:
        if len(text) == 1:
            return Prefix(name, text, boost)
        couples = tuple(pairs(text)[:-1])
        if len(couples) == 1:
            return Term(name, couples[0], boost)
        return Phrase(name, couples, boost=boost)

    return _each(lambda name: in_field(PAIRS[name], WEIGHTS[name]), _paired(places))


def phrase(text: str, places: frozenset[str] = EVERYWHERE) -> Node | None:
    """What stood between quotes, word for word; None when there is no word."""
    found = list(tokens(text))
    words = tuple(one.text for one in found if not one.is_run)
    if len(words) < len(found):
        parts = [run(one.text, places) for one in found if one.is_run]
        spoken = phrase(" ".join(words), places) if words else None
        return AllOf((*parts, spoken)) if spoken else AllOf(tuple(parts))
    if len(words) < 2:
        return _each(lambda name: Term(name, words[0], WEIGHTS[name]), places) if words else None
    return _each(lambda name: Phrase(name, words, boost=WEIGHTS[name]), places)


def beginning(text: str, places: frozenset[str] = EVERYWHERE) -> Node | None:
    """Words that begin with it; before it every word must be there."""
    found = list(tokens(text))
    if not found:
        return None
    last = found[-1]
    if last.is_run:
        return all_of(text, places)
    ending = _each(lambda name: Prefix(name, last.text, WEIGHTS[name]), places)
    before = all_of(text[: last.start], places)
    return AllOf((before, ending)) if before else ending


def near(text: str, distance: int, places: frozenset[str] = EVERYWHERE) -> Node | None:
    """Words at most `distance` edits away, two neighbouring letters that changed places counted
    as one."""
    found = list(tokens(text))
    if len(found) != 1 or found[0].is_run:
        return all_of(text, places)
    wanted = found[0].text
    parts: list[Node] = []
    for name in PLACES:
        if name in places:
            parts += _near(name, wanted, distance, WEIGHTS[name])
    return AnyOf(tuple(parts))


def _near(name: str, wanted: str, distance: int, weight: float) -> Iterator[Node]:
    yield Fuzzy(name, wanted, distance, weight)
    if distance > 1:
        return  # which holds for two neighbours, too
    for at in range(len(wanted) - 1):
        swapped = wanted[:at] + wanted[at + 1] + wanted[at] + wanted[at + 2 :]
        if swapped != wanted:
            yield Term(name, swapped, weight)


def titles(typed: str) -> Node:
    """Titles with words that begin with what was typed, or nearly."""
    found = list(tokens(typed))
    parts: list[Node] = []
    for number, one in enumerate(found, 1):
        if one.is_run:
            parts.append(run(one.text, TITLES))
            continue
        ways: list[Node] = [Term(TITLE, one.text, 2.0)]
        if number == len(found) or len(one.text) > 1:
            ways.append(Prefix(TITLE, one.text, 1.5))
        if len(one.text) >= TYPO_CHARS:
            ways += _near(TITLE, one.text, typos(one.text), 0.3)
        parts.append(AnyOf(tuple(ways)))
    return AllOf(tuple(parts)) if parts else AnyOf(())


def sentence(text: str) -> Node | None:
    """Plain words: all that tell something; in a longer text the small ones of its language may be
    missing. What has them in order, or in the title, comes first. None: there are no words."""
    found = [one.text for one in tokens(text) if not one.is_run]
    language = guess(found)
    pieces = text.split()
    small = [
        piece
        for piece in pieces
        if len(pieces) >= SENTENCE_WORDS and is_small(fold(piece), language)
    ]
    telling = [piece for piece in pieces if piece not in small]
    parts = [part for piece in telling or pieces if (part := all_of(piece)) is not None]
    extra = [part for piece in small if telling and (part := all_of(piece)) is not None]
    if not parts:
        return None
    whole = parts[0] if len(parts) == 1 else AllOf(tuple(parts))
    bonus = (*bonuses(found), *extra)
    return Prefer(whole, bonus) if bonus else whole


def bonuses(words: Sequence[str]) -> tuple[Node, ...]:
    """What makes a page with all the folded `words` a better one: all in the title, in their
    order, near each other in the text."""
    if len(words) < 2:
        return ()
    each = AllOf(tuple(Term(TITLE, one, 3.0) for one in words))
    row = tuple(words)
    return (
        each,
        Phrase(TITLE, row, boost=3.0),
        Phrase(HEADINGS, row, boost=1.5),
        Phrase(BODY, row, slop=2),
        Phrase(NAMES, row, boost=2.0),
    )


def looser(text: str) -> Iterator[Node]:
    """What to look for when hardly a page has all the plain words of `text`: those that tell
    something, all of these but one, any of them. Runs of unspaced scripts are looked for in
    pieces, at last."""
    found = list(tokens(text))
    spoken = [one for one in found if not one.is_run]
    telling = [one for one in found if one.is_run or not is_small(one.text)] or found
    parts = [run(one.text) if one.is_run else word(one.text) for one in telling]
    bonus = bonuses([one.text for one in spoken])
    if len(telling) < len(found):
        yield Prefer(AllOf(tuple(parts)), bonus)
    if 2 < len(parts) <= MAX_LOOSENED:
        yield Prefer(AllButOne(tuple(parts)), bonus)
    pieces = [part for one in telling if one.is_run for part in _pieces(one.text)]
    words = [word(one.text) for one in telling if not one.is_run]
    if len(pieces) + len(words) > 1:
        yield Prefer(AnyOf((*words, *pieces)), bonus)


def _pieces(text: str) -> Iterator[Node]:
    """The pairs of a run, each by itself."""
    for couple in pairs(text)[:-1]:
        yield run(couple)


def typos(text: str) -> int:
    """How many edits away a word may be and still be meant."""
    return 2 if len(text) >= TWO_TYPOS_CHARS else 1


def _stems(text: str, places: frozenset[str]) -> tuple[Node, ...]:
    """Another ending of the folded word: in what the page says now, in the rest. Numbers have
    none."""
    if text.isdecimal():
        return ()
    stems = [(language, stem(language, text)) for language in LANGUAGES]
    made: list[Node] = []
    if BODY in places:
        made += [Term(STEMS, stem_token(*one), STEM_WEIGHT) for one in stems]
    for name in (TALK, FILES, PAST):
        if name in places:
            made += [Term(ELSE_STEMS, stem_token(*one, name), ELSE_STEM_WEIGHT) for one in stems]
    return tuple(made)


def _paired(places: frozenset[str]) -> frozenset[str]:
    return (places - {HEADINGS}) or frozenset((BODY,))


def _each(make: Callable[[str], Node], places: frozenset[str]) -> Node:
    parts = tuple(make(name) for name in PLACES if name in places)
    return parts[0] if len(parts) == 1 else AnyOf(parts)
