"""Proving an export: all that `verify_alone` asks, and that each page's Markdown is what its
history makes. The updates pass the gate on the way: nothing that poisons a page gets further, and
records that only make text together (`batch`) are a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from wiki import causal, errors, text
from wiki.errors import BadUpdate
from wiki.exchange import verify_alone
from wiki.exchange.verify_alone import Entry, Files, Report
from wiki.gate import Gate
from wiki.key import verify_signature
from wiki.record import Record

__all__ = ["Report", "verify_zip"]


def verify_zip(path: Path) -> Report:
    """What the ZIP (or unpacked folder) at `path` holds. Raises Damaged: what is wrong, where."""
    try:
        with verify_alone.opened(path) as files:
            report = verify_alone.check_all(files, verify_signature)
            _check_texts(files)
    except verify_alone.Damaged as error:
        raise errors.Damaged(error.what, error.where) from error
    return report


def updates_of(entry: Entry) -> list[bytes]:
    """The Yjs updates of a record. Raises Damaged."""
    record = Record(entry.header, entry.signature, entry.salt, entry.body)
    return [part.update for part in record.text_parts]


def _check_texts(files: Files) -> None:
    manifest = verify_alone.parse(verify_alone.read_text(files, verify_alone.MANIFEST), "")
    for page_id, page in manifest["pages"].items():
        name = f"{page['path']}.md"
        if files.read(name) != _replayed(files, page_id).encode():
            raise errors.Damaged("it is not the text that the records make", name)


def _replayed(files: Files, page_id: str) -> str:
    gate, doc = Gate(), text.new_doc()
    for _, group in groupby(verify_alone.entries(files, page_id), key=lambda one: one.batch or one):
        together = list(group)
        try:
            for update in _in_order(gate, together):
                gate.learn(update)
                text.apply(doc, update)
        except (BadUpdate, errors.Damaged) as error:
            where = f"records/{page_id}.jsonl, record {together[0].id}"
            raise errors.Damaged(str(error), where) from error
    return text.text_of(doc)


def _in_order(gate: Gate, together: Sequence[Entry]) -> Iterator[bytes]:
    """The updates of one record, or of those of a batch, in pieces that follow each other."""
    updates = [update for entry in together for update in updates_of(entry)]
    if together[0].batch is None:
        yield from updates
        return
    if not causal.walk(gate.state_vector, updates).is_whole:
        raise errors.Damaged("it builds on text that is not there", "batch")
    yield from (piece for _, piece in causal.pieces(gate.state_vector, updates))
