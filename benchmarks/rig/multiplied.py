"""Many pages out of real ones: the pages of a corpus again and again, each time with other words.

Every copy has one word in seven replaced by another of the corpus, the common ones more often, so
that the index sees as many words, and as unevenly, as people write; the rest stays as it was.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from benchmarks.rig.corpus import KINDS, TAGS, Draft
from benchmarks.rig.documentation import Source

REPLACED = 1 / 7
LONGEST = 2_500  # characters: an idea, not a reference manual
LONGEST_TITLE = 60  # characters, so that the number behind it makes it another
_WORD = re.compile(r"[^\W\d_]{3,}")


def multiplied(sources: Sequence[Source], count: int, seed: int = 1) -> Iterator[Draft]:
    """`count` pages; the same for the same seed."""
    chance = random.Random(seed)
    short = [one for one in sources if 200 <= len(one.text) <= LONGEST] or list(sources)
    chance.shuffle(short)
    counted = Counter(word for one in short for word in _WORD.findall(one.text))
    words, weights = zip(*counted.items(), strict=True)
    sums = list(accumulate(weights))
    for number in range(count):
        one = short[number % len(short)]
        text, title = one.text, one.title
        if number >= len(short):
            new = iter(chance.choices(words, cum_weights=sums, k=len(text) // 3 + 1))
            text = _WORD.sub(
                lambda found, new=new: next(new) if chance.random() < REPLACED else found[0], text
            )
        tags = tuple(chance.sample(TAGS, chance.randint(0, 3)))
        yield Draft(f"{title[:LONGEST_TITLE]} {number}", chance.choice(KINDS), tags, text, "")
