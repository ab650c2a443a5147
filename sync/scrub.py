"""Is a page in memory what it is on disk? Pure; `scrubber` looks at one after the other.

Three ways to the same text are compared: the live document, which took each change as it came; a
new one from what is stored; and one more from that, compacted, as a checkpoint would keep it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wiki import text
from wiki.errors import Damaged
from wiki.gate import parse_state_vector


class Seen(NamedTuple):
    """A document as it was between two ticks. `vector`: client -> the clock after its last unit."""

    text: str
    vector: Mapping[int, int]


def seen(doc: text.Document) -> Seen:
    """Raises Damaged."""
    return Seen(text.text_of(doc), parse_state_vector(doc.get_state()))


def difference(live: Seen, known: Mapping[int, int], updates: Sequence[bytes]) -> str | None:
    """What is wrong, in words; None when all is as it should be. `known` is the gate's vector,
    `updates` rebuild the page. Raises Damaged for updates that do not."""
    if dict(known) != dict(live.vector):
        return "the gate knew other text than the document had"
    stored = seen(text.new_doc(*updates))
    if stored.vector != live.vector:
        return "the document in memory had other changes than the disk"
    if stored.text != live.text:
        return "the document in memory had another text than the disk"
    try:
        compacted = seen(text.new_doc(text.compacted(updates)))
    except Damaged as error:
        return f"it could not be read when compacted ({error})"
    return None if compacted == stored else "compacting it made another text"
