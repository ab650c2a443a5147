"""Proving an export: all that `verify_alone` asks, and that each page's Markdown is what its
history makes. The updates pass the gate on the way: nothing that poisons a page gets further.
"""

from __future__ import annotations

from pathlib import Path

from wiki import errors, text
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
    for entry in verify_alone.entries(files, page_id):
        for update in updates_of(entry):
            try:
                gate.learn(update)
                text.apply(doc, update)
            except (BadUpdate, errors.Damaged) as error:
                where = f"records/{page_id}.jsonl, record {entry.id}"
                raise errors.Damaged(str(error), where) from error
    return text.text_of(doc)
