"""A recorded editing history as Yjs updates of one writer, some hundred edits each.

Files are those of josephg/editing-traces: `{endContent, txns: [{patches: [[position, deleted,
inserted], …]}]}`, gzipped JSON, positions in code points.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pycrdt import Doc, Text

from benchmarks.rig.strokes import ROOT
from tests.support.traces import trace

EDITS_AT_ONCE = 500
WRITER = 4_000_000_001


@dataclass(frozen=True, slots=True)
class Trace:
    """`clock`: after the last unit that was ever typed; who has that much has all."""

    name: str
    edits: int
    updates: list[bytes]
    text: str
    clock: int


def recorded(file: Path) -> Trace:
    """Raises ValueError when the replay does not end as the recording did."""
    told = trace(file)
    patches = [patch for one in told["txns"] for patch in one["patches"]]
    replayed = _replayed(file.name.removesuffix(".json.gz"), patches)
    if replayed.text != told["endContent"]:
        raise ValueError(f"{file.name} does not end as it was recorded")
    return replayed


def _replayed(name: str, patches: list[list[Any]]) -> Trace:
    doc: Doc = Doc(client_id=WRITER)
    content = doc.get(ROOT.decode(), type=Text)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    is_ascii, clock, rest = True, 0, iter(patches)
    while some := list(islice(rest, EDITS_AT_ONCE)):
        with doc.transaction():
            for position, deleted, inserted in some:
                first, end = position, position + deleted
                if not is_ascii:  # pycrdt counts bytes
                    so_far = str(content)
                    first, end = (len(so_far[:at].encode()) for at in (first, end))
                if deleted:
                    del content[first:end]
                if inserted:
                    content.insert(first, inserted)
                    is_ascii = is_ascii and inserted.isascii()
                    clock += len(inserted.encode("utf-16-le")) // 2
    doc.unobserve(subscription)
    return Trace(name, len(patches), updates, str(content), clock)
