"""What an import loses, for people: grouped and counted, or each by its file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from web.cli.telling import counted, give
from wiki.exchange.markdown_folder import Loss

MOST: Final = 6  # particulars of one kind that are named
_KINDS: Final = (  # what differs between losses of one kind is the group; what stands for all of it
    (r"“.*?” is taken; the page is .*", "titles are taken; their pages are renamed"),
    (r"the link to (.*?) leads nowhere", "links lead nowhere"),
    (r"the file .*?(\.[^./]*)? cannot come along: .*", "files cannot come along"),
    (
        r"the page .* was shown in this one; (?s:.*)",
        "pages were shown in others; they are links now",
    ),
    (r"a link to #.* now leads .*", "links to a heading now lead to the top of its page"),
    (r"it is [\d,]+ bytes; .*", "files are too large or empty; they are left out"),
    (r"the field (.*) on top has no place", "fields on top have no place"),
    (r"the template (.*) is shown as it was typed", "templates are shown as they were typed"),
    (
        r"the file .* is not in a dump; its name is shown",
        "files are not in a dump; names are shown",
    ),
    (r"the tag (<.*>) is left out; .*", "tags are left out; what is in them stays"),
    (r"items of the kind (.*) are shown as they are stored", "items are shown as they are stored"),
    (
        r"what the site's program puts in for (.*) is not there",
        "what a program puts in is not there",
    ),
)
_PATTERNS: Final = tuple((re.compile(one, re.DOTALL), told) for one, told in _KINDS)


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
    kinds: dict[str, Counter[str]] = {}
    for _, sentence in losses:
        kind, particular = kind_of(sentence)
        kinds.setdefault(kind, Counter())[particular] += 1
    for kind, particulars in sorted(kinds.items(), key=lambda one: -one[1].total()):
        give(f"  {particulars.total():>6,} × {kind}{_most(particulars)}")


def kind_of(sentence: str) -> tuple[str, str]:
    """The sentence without what is particular to one file; and that, if it is worth naming."""
    for pattern, general in _PATTERNS:
        found = pattern.fullmatch(sentence)
        if found:
            return general, (found[1] if pattern.groups else "") or ""
    return sentence, ""


def _most(particulars: Counter[str]) -> str:
    """“: weight (327), date (264) and 12 more”."""
    named = [(name, count) for name, count in particulars.most_common() if name]
    shown = [f"{name[:60]} ({count:,})" for name, count in named[:MOST]]
    rest = len(named) - len(shown)
    more = f" and {rest:,} more" if rest else ""
    return f": {', '.join(shown)}{more}" if shown else ""
