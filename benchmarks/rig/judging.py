"""Questions with known right answers, made from a corpus by rules; the same for the same seed.

    address    what a page's old address called it (aliases, redirects)
    old title  a title that its git history had before today's
    title      two or three words of a title, in another order
    inflected  a title with one word in another form, which the corpus itself uses elsewhere
    typo       a title with one slip of the finger in one word of five letters or more
    part       of a title without spaces between words, its longest run of ideographs
    heading    a heading inside a text, which no other page has

Right are all pages that the rule fits: those with the very title, those that have all the words, in
whatever language (a question that an English page answers, too, counts as English). Left out are
questions that ask nothing: with more than `MOST_ANSWERS` right pages; old names that are wholly in
another page's title; old names of which the page has less than half of the words in any form (their
first four letters): addresses are often in another language than the page, and no search of words
could find it. Every page answers at most one
question of a kind. Halves are told by turns within each kind and language.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from benchmarks.rig.documentation import Source

MOST_ANSWERS = 8
LONG_WORD = 5
_KEYS = (
    "qwa wqesd ewrsd retdf trfyg ytugh uyihj iuojk oipkl pol aqwsz sawedx dserfc fdrtgv gftyhb "
    "hgyujn jhuikm kjiol lkop zasx xzsdc cxdfv vcfgb bvghn nbhjm mnjk"
)
NEIGHBOURS = {keys[0]: keys[1:] for keys in _KEYS.split()}
ENDINGS = {
    "en": ("s", "es", "ing", "ed", "ly"),
    "de": ("e", "en", "n", "er", "es", "s"),
    "fr": ("s", "e", "es", "x"),
    "es": ("s", "es"),
    "pt": ("s", "es"),
    "it": (),
    "nl": ("en", "s", "e"),
    "sv": ("en", "er", "ar", "et", "na"),
    "ru": ("а", "ы", "и", "у", "ом", "ов", "е"),
}
SWAPPED = {"es": ("oa",), "it": ("oi", "ae", "ei", "oa"), "pt": ("oa",), "ru": ("аы",)}
_SMALL_WORDS = (
    "a an and are as at by for from how in is it of on or the to with your "
    "auf das dem den der des die ein eine für im in ist mit und von zu zum zur "
    "al con de del el en la las los para por que un una y "
    "au aux avec dans des du et le les pour sur une "
    "com da do dos em na no o os um uma e i il lo per het een van voor"
)
SMALL = frozenset(_SMALL_WORDS.split())
_WORD = re.compile(r"[\w\u0300-\u036f\u0900-\u0dff]+")
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff\uac00-\ud7af\u30a0-\u30ff]{2,}")
_HEADING = re.compile(r"^#{2,4}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_MARKS = re.compile(r"\{.*?\}+|[`*]|\[|\]\(.*?\)|<.*?>")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Question:
    """`answers`: numbers of the sources that are right. `is_reported`: of the half that is kept
    from whoever tunes."""

    text: str
    kind: str
    language: str
    answers: frozenset[int]
    is_reported: bool = False


Rule = Callable[[Source], str | None]


class Judge:
    """Asks about `sources`, which a question's answers count."""

    def __init__(self, sources: Sequence[Source], seed: int) -> None:
        self._sources, self._seed = sources, seed
        self._chance = random.Random(seed)
        self._by_title: dict[str, set[int]] = defaultdict(set)
        self._by_word: dict[str, set[int]] = defaultdict(set)
        self._vocabulary: dict[str, Counter[str]] = defaultdict(Counter)
        self._headings: dict[str, set[int]] = defaultdict(set)
        for number, one in enumerate(sources):
            self._by_title[folded(one.title)].add(number)
            for word in set(words(one.title)):
                self._by_word[word].add(number)
            self._vocabulary[one.language].update(set(words(one.text)))
            for heading in _headings(one):
                self._headings[folded(heading)].add(number)

    def questions(self, per_kind: int) -> list[Question]:
        """At most `per_kind` of each kind and language."""
        found: list[Question] = []
        for kind, made in (
            ("address", self._addresses),
            ("old title", self._old_titles),
            ("title", self._titles),
            ("inflected", lambda: self._of_titles(self._inflected)),
            ("typo", lambda: self._of_titles(self._mistyped)),
            ("part", self._parts),
            ("heading", self._unique_headings),
        ):
            by_language: dict[str, list[Question]] = defaultdict(list)
            for text, number, answers in made():
                language = self._language(number, answers)
                if 0 < len(answers) <= MOST_ANSWERS and len(by_language[language]) < per_kind:
                    at = len(by_language[language])
                    asked = Question(text, kind, language, frozenset(answers), at % 2 == 1)
                    by_language[language].append(asked)
            found += [one for language in sorted(by_language) for one in by_language[language]]
        return found

    def _language(self, number: int, answers: set[int]) -> str:
        spoken = {self._sources[one].language for one in answers}
        return "en" if "en" in spoken else self._sources[number].language

    def _shuffled(self) -> Iterator[tuple[int, Source]]:
        order = list(range(len(self._sources)))
        self._chance.shuffle(order)
        return ((number, self._sources[number]) for number in order)

    def _same_title(self, one: Source) -> set[int]:
        return self._by_title[folded(one.title)]

    def _titled(self, name: str) -> set[int]:
        """Pages with every word of `name` in their titles."""
        having = [self._by_word.get(word, set()) for word in words(name)]
        return set.intersection(*having) if having else set()

    def _addresses(self) -> Iterator[tuple[str, int, set[int]]]:
        for number, one in self._shuffled():
            own = {*words(one.title), *words(" ".join(one.address.split("/")[-2:]))}
            for old in one.old_addresses:
                name = called(old)
                is_new = name and not set(words(name)) <= own and not self._titled(name)
                if is_new and _is_told(name, one):
                    yield name, number, {number}
                    break

    def _old_titles(self) -> Iterator[tuple[str, int, set[int]]]:
        for number, one in self._shuffled():
            for old in one.old_titles:
                is_other = sorted(words(old)) != sorted(words(one.title))
                is_new = is_other and not self._titled(old)
                if len(folded(old)) > 4 and is_new and _is_told(old, one):
                    yield old, number, {number}
                    break

    def _titles(self) -> Iterator[tuple[str, int, set[int]]]:
        for _, one in self._shuffled():
            long = [word for word in dict.fromkeys(words(one.title)) if _is_telling(word)]
            if len(long) >= 3 and not _IDEOGRAPHS.search(one.title):
                asked = self._chance.sample(long, self._chance.choice((2, 3)))
                having = [self._by_word[word] for word in asked]
                right = set.intersection(*having)
                yield " ".join(asked), min(right), right

    def _of_titles(self, change: Rule) -> Iterator[tuple[str, int, set[int]]]:
        for number, one in self._shuffled():
            if 2 <= len(words(one.title)) <= 6 and (text := change(one)):
                yield text, number, self._same_title(one)

    def _inflected(self, one: Source) -> str | None:
        in_title = words(one.title)
        forms = [
            (word, form)
            for word in in_title
            if len(word) >= LONG_WORD - 1 and word not in SMALL
            for form in _forms(word, one.language)
            if self._vocabulary[one.language][form] > 1 and form not in in_title
        ]
        if not forms:
            return None
        word, form = self._chance.choice(forms)
        return re.sub(rf"\b{re.escape(word)}\b", form, one.title.lower(), count=1)

    def _mistyped(self, one: Source) -> str | None:
        long = [word for word in words(one.title) if len(word) >= LONG_WORD and word.isalpha()]
        if not long or _IDEOGRAPHS.search(one.title):
            return None
        word = self._chance.choice(long)
        wrong = slip(word, self._chance)
        if self._vocabulary[one.language][wrong]:
            return None
        return one.title.lower().replace(word, wrong, 1)

    def _parts(self) -> Iterator[tuple[str, int, set[int]]]:
        for number, one in self._shuffled():
            runs = _IDEOGRAPHS.findall(one.title)
            if one.language in ("ja", "zh") and runs and len(one.title) > 5:
                run = max(runs, key=len)[:8]
                if run != one.title:
                    right = {at for at, other in enumerate(self._sources) if run in other.title}
                    yield run, number, right

    def _unique_headings(self) -> Iterator[tuple[str, int, set[int]]]:
        for number, one in self._shuffled():
            for heading in _headings(one):
                having = self._headings[folded(heading)]
                is_title = bool(self._by_title.get(folded(heading)))
                if len(having) == 1 and not is_title:
                    yield heading, number, having
                    break


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("_", " "))


def folded(text: str) -> str:
    return " ".join(words(text))


def slip(word: str, chance: random.Random) -> str:
    """`word` with one slip: two letters swapped, one left out, doubled, or its neighbour's key.

    The first letter holds, as it does in nearly all real ones."""
    while True:
        at = chance.randrange(1, len(word))
        char = word[at]
        wrong = chance.choice(
            (
                word[: at - 1] + char + word[at - 1] + word[at + 1 :] if at > 1 else word,
                word[:at] + word[at + 1 :],
                word[:at] + char + word[at:],
                word[:at] + chance.choice(NEIGHBOURS.get(char, char)) + word[at + 1 :],
            )
        )
        if wrong != word:
            return wrong


def called(address: str) -> str:
    """What an address calls its page: its last part, in words."""
    last = [part for part in unquote(address).rstrip("/").split("/") if part][-1:]
    name = re.sub(r"[-_:.*]+|\s+", " ", last[0]).strip() if last else ""
    return name if len(name) > 3 and not name.isdecimal() else ""


def _is_told(name: str, one: Source) -> bool:
    """Whether the page has half of the words."""
    if runs := _IDEOGRAPHS.findall(name):
        return any(run[:2] in one.title + one.text for run in runs)
    there = {word[:4] for word in words(f"{one.title} {one.text}")}
    telling = [word for word in words(name) if _is_telling(word)]
    return bool(telling) and 2 * sum(word[:4] in there for word in telling) >= len(telling)


def _is_telling(word: str) -> bool:
    return len(word) > 2 and word not in SMALL and not word.isdecimal()


def _forms(word: str, language: str) -> Iterable[str]:
    for ending in ENDINGS.get(language, ()):
        yield word + ending
        if word.endswith(ending) and len(word) - len(ending) > 2:
            yield word.removesuffix(ending)
    for one, other in SWAPPED.get(language, ()):
        if word.endswith(one):
            yield word[:-1] + other
    if language == "en" and word.endswith("e"):
        yield word[:-1] + "ing"
    if language == "en" and word.endswith("y"):
        yield word[:-1] + "ies"


def _headings(one: Source) -> list[str]:
    text = _FENCE.sub("", one.text)
    found = (
        re.sub(r"\{.*?\}+|[`*]|\[|\]\(.*?\)|<.*?>", "", line) for line in _HEADING.findall(text)
    )
    return [line.strip() for line in found if 3 <= len(words(line)) <= 9 or _is_long_run(line)]


def _is_long_run(line: str) -> bool:
    return 6 <= len(line) <= 24 and bool(_IDEOGRAPHS.search(line))
