"""What an import loses, for people: grouped and counted, or each by its file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from web.cli.telling import counted, give
from wiki.exchange.markdown_folder import Loss

_VARIABLE = (  # what differs between losses of one kind, and what stands for it
    (re.compile(r"“.*?” is taken; the page is .*"), "titles are taken; their pages are renamed"),
    (re.compile(r"the link to .* leads nowhere", re.DOTALL), "links lead nowhere"),
    (re.compile(r"the file .* cannot come along: ", re.DOTALL), "files cannot come along: "),
    (re.compile(r"the page .* was shown in this one; ", re.DOTALL), "pages were shown in others; "),
    (re.compile(r"a link to #.* now leads ", re.DOTALL), "links to a heading now lead "),
    (re.compile(r"it is [\d,]+ bytes; "), "it is too large or empty: "),
    (re.compile(r"(fields on top that have no place): .*", re.DOTALL), r"\1"),
)


def tell(losses: Sequence[Loss], what: str, *, has_details: bool) -> None:
    """Print them below “`what`: 12 things”."""
    if not losses:
        give("Nothing is lost.")
        return
    hint = "" if has_details else "; --details names each"
    give(f"{what}: {counted(len(losses), 'thing')}{hint}")
    if has_details:
        for path, sentence in losses:
            give(f"  {path}: {sentence}")
        return
    for kind, count in Counter(kind_of(sentence) for _, sentence in losses).most_common():
        give(f"  {count:>6,} × {kind}")


def kind_of(sentence: str) -> str:
    """The sentence without what is particular to one file."""
    for pattern, general in _VARIABLE:
        sentence = pattern.sub(general, sentence)
    return sentence
