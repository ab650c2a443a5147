"""Text as tokens: the one analysis that both engines, queries and highlights share.

- A **word** is a run of letters, digits and marks. It is folded: case, width, accents on Latin
  letters and a few letters without decomposition (ø, ł, ß) no longer matter.
- A **run** is text of a script that is written without spaces (Chinese, Japanese, Korean, Thai,
  Lao, Khmer, Burmese). It becomes overlapping pairs of characters and its last character alone,
  so that a search for one character is a search for a prefix.
- Each page is stemmed in **one** language, guessed from its most frequent small words; a word
  that is searched for is stemmed in every language, each against the pages of that language. A
  wrong guess costs only other endings of the word: the unstemmed words are always indexed.

Folding comes before stemming, on both sides, so that somebody without accents on the keyboard
still finds every ending.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from whoosh.lang import stemmer_for_language

DEFAULT_LANGUAGE = "en"
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
_TOKEN = re.compile(rf"([{_UNSPACED}]+)|(?:(?![{_UNSPACED}])(?:[^\W_]|[{_MARKS}]))+")
_ASCII_WORD = re.compile(r"[0-9a-z]+")
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
    "or our that the their there this to was we what when which who will with would you",
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


_SPOKEN_BY = _spoken_by()
_STEMMERS: dict[str, Callable[[str], str]] = {
    language: stemmer_for_language(language) for language in LANGUAGES
}


@dataclass(frozen=True, slots=True)
class Token:
    """A folded word, or a run of an unspaced script; char offsets into the text it came from."""

    text: str
    start: int
    end: int
    is_run: bool


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """`word` without case, width and Latin accents. Idempotent."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_LETTERS)).casefold()
    plain = _LATIN_ACCENT.sub("", plain.translate(_LETTERS))
    return unicodedata.normalize("NFC", plain)


@lru_cache(maxsize=131_072)
def stem(language: str, word: str) -> str:
    """The stem of a folded word in one of `LANGUAGES`."""
    return _STEMMERS[language](word)


def tokens(text: str) -> Iterator[Token]:
    """Words and runs of `text`, in order."""
    for match in _TOKEN.finditer(text):
        is_run = match.group(1) is not None
        word = fold(match.group())
        yield Token(word if is_run else word[:LONGEST_WORD], match.start(), match.end(), is_run)


def pairs(run: str) -> list[str]:
    """The overlapping pairs of a run and its last character: 東京都 is 東京, 京都, 都."""
    return [run[i : i + 2] for i in range(len(run))]


def words_and_pairs(text: str) -> tuple[list[str], list[str]]:
    """What is indexed of `text`: its words, and the pairs of its runs."""
    if text.isascii():
        return [word[:LONGEST_WORD] for word in _ASCII_WORD.findall(text.lower())], []
    words: list[str] = []
    couples: list[str] = []
    for token in tokens(text):
        if token.is_run:
            couples += pairs(token.text)
        else:
            words.append(token.text)
    return words, couples


def is_small(word: str) -> bool:
    """Whether the folded `word` is one of those that say nothing by themselves."""
    return word in _SPOKEN_BY


def guess(words: Sequence[str]) -> str:
    """The language of folded `words`: that of most small words, English when there are none."""
    seen: Counter[str] = Counter()
    for word in islice(words, GUESS_WORDS):
        seen.update(_SPOKEN_BY.get(word, ()))
    best = seen.most_common(1)
    if not best or seen[DEFAULT_LANGUAGE] == best[0][1]:
        return DEFAULT_LANGUAGE
    return best[0][0]
