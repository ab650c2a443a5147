"""Proving an export: all that `verify_alone` asks, and that each page's Markdown is what its
history makes. The updates pass the gate on the way: nothing that poisons a page gets further, and
records that only make text together (`batch`) are a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate, groupby, pairwise
from pathlib import Path

from wiki import causal, errors, text
from wiki.errors import BadUpdate
from wiki.exchange import verify_alone
from wiki.exchange.verify_alone import Entry, Files, Manifest, Report
from wiki.gate import Gate
from wiki.key import verify_signature
from wiki.record import BIRTHS, TEXT_KINDS, Record

__all__ = ["Report", "verify_zip"]


def verify_zip(path: Path) -> Report:
    """What the ZIP (or unpacked folder) at `path` holds. Raises Damaged: what is wrong, where."""
    try:
        with verify_alone.opened(path) as files:
            return verify_alone.check_all(files, verify_signature, partial(_check_text, files))
    except verify_alone.Damaged as error:
        raise errors.Damaged(error.what, error.where) from error


def _check_text(files: Files, manifest: Manifest, thing: str, found: Sequence[Entry]) -> None:
    """That a page's Markdown is what its records make."""
    if (page := manifest["pages"].get(thing)) is None:
        return
    name = f"{page['path']}.md"
    if files.read(name) != _replayed(thing, found).encode():
        raise errors.Damaged("it is not the text that the records make", name)


def _replayed(page_id: str, found: Sequence[Entry]) -> str:
    gate, doc = Gate(), text.new_doc()
    updates: list[bytes] = []
    for _, group in groupby(found, key=lambda one: one.batch or one.id):
        together = list(group)
        try:
            for update in _in_order(gate, together):
                gate.accept(gate.admit(update, _is_anybodys, is_limited=False))
                updates.append(update)
        except (BadUpdate, errors.Damaged) as error:
            where = f"records/{page_id}.jsonl, record {together[0].id}"
            raise errors.Damaged(str(error), where) from error
    text.apply_all(doc, updates)
    return text.text_of(doc)


def _in_order(gate: Gate, together: Sequence[Entry]) -> Iterator[bytes]:
    """The updates of one record, or of those of a batch, in pieces that follow each other."""
    updates = [update for entry in together for update in _updates_of(entry)]
    if together[0].batch is None:
        yield from updates
        return
    if not causal.walk(gate.state_vector, updates).is_whole:
        raise errors.Damaged("it builds on text that is not there", "batch")
    yield from (piece for _, piece in causal.pieces(gate.state_vector, updates))


def _updates_of(entry: Entry) -> list[bytes]:
    """The Yjs updates of a record. Raises Damaged."""
    fields = entry.fields
    if fields["kind"] not in TEXT_KINDS:
        return []
    if not entry.salt:
        made = Record(entry.header, entry.signature, entry.salt, entry.body)
        return [part.update for part in made.text_parts]
    ends = list(accumulate(length for _, _, length in fields["parts"]))
    updates = [entry.body[start:end] for start, end in pairwise([0, *ends])]
    return updates[:1] if fields["kind"] in BIRTHS else updates


def _is_anybodys(client: int) -> bool:
    return True
