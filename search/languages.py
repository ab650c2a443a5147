"""Text as tokens: the one analysis that both engines, queries and highlights share.

- A **word** is a run of letters, digits and marks. It is folded: case, width, accents on Latin
  letters and a few letters without decomposition (ø, ł, ß) no longer matter.
- A **run** is text of a script that is written without spaces (Chinese, Japanese, Korean, Thai,
  Lao, Khmer, Burmese). It becomes overlapping pairs of characters and its last character alone,
  so that a search for one character is a search for a prefix.
- Each page is stemmed in **one** language: the one that was set for it, or that of its small words
  when they leave no doubt, or what py3langid takes it for. A word that is searched for is stemmed
  in every language, each against the pages of that language. A wrong guess costs only other
  endings of the word: the unstemmed words are always indexed.
- What is written with marks inside (Node.js, e-mail, real-time) is found without them, too: it is
  also a **compound** (nodejs, email, realtime).

Folding comes before stemming, on both sides, so that somebody without accents on the keyboard
still finds every ending.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

import py3langid
from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

DEFAULT_LANGUAGE = "en"
DETECT_CHARS = 500
SHORT_CHARS = 40  # less says too little
SURE_WORDS = 8  # small words of one language, twice as many as of any other: no doubt
LONGEST_WORD = 64  # characters; the rest of a longer one (base64, hashes) is cut off
GUESS_WORDS = 400  # words of a page that its language is guessed from

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"  # jamo, kana
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003134f"
)
# Marks that belong to a word though `\w` does not hold them: accents, Hebrew and Arabic points,
# the vowel signs of Indian scripts.
_MARKS = "\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0980-\u0dff"
# Letters and digits, and marks, in any order; each alternative begins with one set, which the
# matcher skips to, and gives nothing back, so that a word takes half of the time.
_LETTER, _MARK = rf"[^\W_{_UNSPACED}]", f"[{_MARKS}]"
_WORD = rf"(?:{_LETTER}++(?:{_MARK}++{_LETTER}*+)*+|{_MARK}++(?:{_LETTER}++{_MARK}*+)*+)"
_TOKEN = re.compile(rf"([{_UNSPACED}]++)|{_WORD}")
_RUN = re.compile(f"[{_UNSPACED}]++")
_TOKENS_OF = re.compile(rf"([{_UNSPACED}]++)|({_WORD})").findall
_SPOKEN = re.compile(_WORD)
_WORD_AT = re.compile(rf"(?:(?<![^\W_])(?<![{_MARKS}])|(?<=[{_UNSPACED}])){_WORD}")
# begins where a word begins, and takes it whole: else a word of a page's length takes its square
_COMPOUND = re.compile(r"(?<![^\W_])[^\W_]++(?:[.'’·_/+-][^\W_]++){1,3}")
_CODE = re.compile(r"```.*?```|`[^`\n]*`|https?://\S+|\]\([^)]*\)|[#*_>|\[\]{}<=-]+", re.DOTALL)
# Letters that another one stands for when folded, as far as words begin with them.
_ACCENTED = "\xb5\xc0-\u024f\u0401\u0451\u1e00-\u1eff\u212a\u212b"
_ASCII_WORD = re.compile(r"[0-9a-z]++")
_ASCII_WORD_AT = re.compile(r"(?<![0-9a-z])[0-9a-z]++")
_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ё": "е"}
)
_LATIN_ACCENT = re.compile("(?<=[a-z])[\u0300-\u036f]+")

# The small words that give a language away, folded.
_SMALL_WORDS = {
    "da": "af alle at blev da den denne der det efter eller en er et for fra har hvis hvor i ikke "
    "kan med men nar og ogsa om op pa sig skal som til ud var ved vil vi",
    "de": "aber als am auch auf aus bei das dass dem den der des die durch ein eine einen einer "
    "es fur hat im in ist kann mit nach nicht noch oder sich sie sind und von war werden wie "
    "wir wird zu zum zur",
    "en": "a all also an and are as at be but by can for from has have if in is it its not of on "
    "or our that the their there this to was we what when which who will with would you "
    "about could did do does how i into my should than them then these they those where why your "
    "after any before between down each just off only other out over some through up very",
    "es": "al como con cuando de del el ella en entre era es esta este ha hay la las lo los mas "
    "muy no o para pero por porque que se sin sobre son su sus tambien un una y ya",
    "fi": "ei en etta han he ja joka jos kaikki kanssa kuin kun mutta myos nyt ne niin oli on "
    "ovat se sen siita tai tama tassa vain voi",
    "fr": "au aux avec ce cette ces dans de des du elle en est et etre il ils je la le les leur "
    "mais ne nous on ou par pas plus pour qu que qui sa se ses son sont sur un une vous",
    "it": "agli al alla anche che chi ci come con da dal del della delle di e ed era gli ha i il "
    "in io la le lo ma nel nella non per piu quando questo se si sono su un una",
    "nl": "aan als bij dan dat de deze die dit door een en er geen had heeft het hij ik in is je "
    "kan maar meer met naar niet nog of om onder ook op te tot uit van voor was wat we werd zijn",
    "no": "at av da de den denne der det dette eller en er et for fra har hvis hvor i ikke kan "
    "med men nar og ogsa om opp pa seg skal som til ut var ved vil vi",
    "pt": "ao aos as com como da das de do dos e ela ele em entre era essa este eu foi ha isso "
    "ja mais mas muito na nao nas no nos o os ou para pela pelo por que se sem seu sua um uma",
    "ru": "а без бы был в вы да для до его ее если есть еще же за и из или их к как когда кто "
    "ли мы на не но о он она они от по при с так то только что это я",
    "sv": "alla att av da de den denna det dig efter eller en ett for fran har hon i inte jag "
    "kan man med men nar nu och om pa sig ska som till upp ut var vi vid",
}
LANGUAGES = tuple(_SMALL_WORDS)


def _spoken_by() -> dict[str, tuple[str, ...]]:
    languages: dict[str, list[str]] = {}
    for language, words in _SMALL_WORDS.items():
        for word in words.split():
            languages.setdefault(word, []).append(language)
    return {word: tuple(spoken) for word, spoken in languages.items()}


def _stemmer(name: str) -> TextAnalyzer:
    return TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer(name)).build()


_SPOKEN_BY = _spoken_by()
_STEMMERS = {
    "da": _stemmer("danish"),
    "de": _stemmer("german"),
    "en": _stemmer("english"),
    "es": _stemmer("spanish"),
    "fi": _stemmer("finnish"),
    "fr": _stemmer("french"),
    "it": _stemmer("italian"),
    "nl": _stemmer("dutch"),
    "no": _stemmer("norwegian"),
    "pt": _stemmer("portuguese"),
    "ru": _stemmer("russian"),
    "sv": _stemmer("swedish"),
}


class Token(NamedTuple):
    """A folded word, or a run of an unspaced script; char offsets into the text it came from."""

    text: str
    start: int
    end: int
    is_run: bool


def fold(text: str) -> str:
    """`text` without case, width and Latin accents. Idempotent."""
    if text.isascii():
        return text.lower()
    return _fold_word(text) if len(text) <= LONGEST_WORD else _fold(text)


def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_LETTERS)).casefold()
    plain = _LATIN_ACCENT.sub("", plain.translate(_LETTERS))
    return unicodedata.normalize("NFC", plain)


_fold_word = lru_cache(maxsize=65_536)(_fold)


@lru_cache(maxsize=65_536)
def stem(language: str, word: str) -> str:
    """The stem of a folded word (Snowball's); the word itself in a language that has none."""
    stemmer = _STEMMERS.get(language)
    return str(stemmer.analyze(word)[0]) if stemmer else word


def compounds(text: str) -> list[str]:
    """What is written with marks inside, folded and without them."""
    found = []
    for match in _COMPOUND.finditer(text):
        joined = fold("".join(char for char in match.group() if char.isalnum()))
        if len(joined) <= LONGEST_WORD:
            found.append(joined)
    return found


def tokens(text: str) -> Iterator[Token]:
    """Words and runs of `text`, in order."""
    for match in _TOKEN.finditer(text):
        is_run = match.group(1) is not None
        word = fold(match.group())
        yield Token(word if is_run else word[:LONGEST_WORD], match.start(), match.end(), is_run)


def folded_runs(text: str) -> Iterator[tuple[str, int]]:
    """The runs of `text`, folded, and where they stand; all of `text` in one piece when its runs
    are folded as they stand, as nearly all are."""
    if unicodedata.is_normalized("NFKC", "".join(_RUN.findall(text))):
        yield text, 0
    else:
        yield from ((fold(match[0]), match.start()) for match in _RUN.finditer(text))


def words_of_length(text: str, low: int, high: int) -> Iterator[str]:
    """The folded words of `text` (no runs) with so many letters, each as often as it is there."""
    if text.isascii():
        yield from _ascii_words(low, high).findall(text.lower())
    else:
        folded = map(fold, _SPOKEN.findall(text))
        yield from (word for word in folded if low <= len(word) <= high)


@lru_cache(maxsize=64)
def _ascii_words(low: int, high: int) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9a-z])[0-9a-z]{{{low},{high}}}+(?![0-9a-z])")


def words_like(
    text: str, is_wanted: Callable[[str], object], known: dict[str, str]
) -> Iterator[tuple[str, int, int]]:
    """The words of `text` that are wanted, folded, and where they stand, in order. A word is asked
    for once, however often it is there: `known` keeps what it is folded, "" for one that is not
    wanted, for the next text of the same search."""
    text, words, word_at = (
        (text.lower(), _ASCII_WORD, _ASCII_WORD_AT) if text.isascii() else (text, _SPOKEN, _WORD_AT)
    )
    written = set(words.findall(text))
    for word in written - known.keys():
        plain = fold(word)
        known[word] = plain[:LONGEST_WORD] if is_wanted(plain) else ""
    found = []
    for word in filter(known.get, written):
        at = text.find(word)
        while at >= 0:
            match = word_at.match(text, at)
            if match and match[0] == word:
                found.append((known[word], at, match.end()))
            at = text.find(word, words.match(text, at).end())  # type: ignore[union-attr]
    yield from sorted(found, key=itemgetter(1))


def begins(starts: Iterable[str], numbers: Iterable[str] = ()) -> re.Pattern[str]:
    """Matches in unfolded text where words may begin whose folded form begins with one of `starts`,
    at most two letters each, where one of `numbers` may stand, and where any word begins with an
    accent; `word_at` tells the word, or that none begins there.

    Made for every search, so it holds no large sets: those take milliseconds to make."""
    ways = {
        f"[{_cases(start[0])}]" + (_roughly(start[1]) if start[1:] else "")
        for start in starts
        if start
    }
    ways |= {f"{number}(?![0-9A-Za-z])" for number in numbers} | {f"[{_ACCENTED}]"}
    return re.compile(rf"(?<![0-9A-Za-z])(?:{'|'.join(sorted(ways))})")


def word_at(text: str, at: int) -> re.Match[str] | None:
    """The whole word that begins there, if one does."""
    return _WORD_AT.match(text, at)


def begins_in_ascii(starts: Iterable[str], whole: Iterable[str] = ()) -> re.Pattern[str]:
    """Matches in lower ASCII text the words that begin with one of `starts`, of any length, and
    those of `whole`."""
    fewest: list[str] = []
    for start in sorted(filter(str.isascii, starts)):
        if not fewest or not start.startswith(fewest[-1]):
            fewest.append(start)
    beginnings = "|".join(map(re.escape, fewest)) or "(?!)"
    words = "|".join(map(re.escape, filter(str.isascii, whole))) or "(?!)"
    return re.compile(rf"(?<![0-9a-z])(?:(?:{beginnings})[0-9a-z]*|(?:{words})(?![0-9a-z]))")


def _cases(letter: str) -> str:
    """For a set: it and its capital."""
    return re.escape(letter) + (capital if len(capital := letter.upper()) == 1 else "")


@lru_cache(maxsize=256)
def _roughly(letter: str) -> str:
    """A pattern for it, its capital and whatever else is not ASCII."""
    if not letter.isascii():
        return f"[{_cases(letter)}{_ACCENTED}]"
    low, ranges = 0, ""
    for same in sorted({ord(letter.lower()), ord(letter.upper())}):
        low, ranges = same + 1, rf"{ranges}\x{low:02x}-\x{same - 1:02x}"
    return rf"[^{ranges}\x{low:02x}-\x7f]"


def pairs(run: str) -> list[str]:
    """The overlapping pairs of a run and its last character: 東京都 is 東京, 京都, 都."""
    return [run[i : i + 2] for i in range(len(run))]


def words_and_pairs(text: str) -> tuple[list[str], list[str]]:
    """What is indexed of `text`: its words, and the pairs of its runs."""
    if text.isascii():
        return [word[:LONGEST_WORD] for word in _ASCII_WORD.findall(text.lower())], []
    words: list[str] = []
    couples: list[str] = []
    for run, word in _TOKENS_OF(text):
        if run:
            couples += pairs(fold(run))
        else:
            words.append(fold(word)[:LONGEST_WORD])
    return words, couples


def is_small(word: str, language: str = "") -> bool:
    """Whether the folded `word` says nothing by itself, in that language or in any."""
    spoken = _SPOKEN_BY.get(word, ())
    return language in spoken if language else bool(spoken)


def guess(words: Sequence[str]) -> str:
    """The language of folded `words`: that of most small words, English when there are none."""
    best = _small_words(words).most_common(1)
    return best[0][0] if best else DEFAULT_LANGUAGE


def prepare() -> None:
    """Load what `detect` may need: half a second of a processor and 74 MB, once in a process."""
    py3langid.classify("any text")


def detect(text: str, words: Sequence[str]) -> str:
    """The language (ISO 639-1) of a Markdown text whose folded words are `words`."""
    seen = _small_words(words).most_common(2)
    if seen and seen[0][1] >= max(SURE_WORDS, 2 * (seen[1][1] if len(seen) > 1 else 0)):
        return seen[0][0]
    prose = " ".join(_CODE.sub(" ", text[: 4 * DETECT_CHARS]).split())[:DETECT_CHARS]
    if len(prose) < SHORT_CHARS and prose.isascii():
        return guess(words)
    return str(py3langid.classify(prose)[0]) if prose else DEFAULT_LANGUAGE


def _small_words(words: Sequence[str]) -> Counter[str]:
    """How many there are of each language; of equally many, English comes first."""
    seen: Counter[str] = Counter({DEFAULT_LANGUAGE: 0})
    for word in islice(words, GUESS_WORDS):
        for language in _SPOKEN_BY.get(word, ()):
            seen[language] += 1
    return +seen
