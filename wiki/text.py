"""The only place that converts between a page's Yjs document, Markdown and offsets.

pycrdt counts UTF-8 bytes, Yjs and browsers UTF-16 units, Python characters. Its panics derive from
BaseException; here they become `Damaged`. Bytes from outside must have passed the gate first.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from pycrdt import Doc, Text, merge_updates

from wiki.diff import Edit, edits
from wiki.errors import Damaged
from wiki.update import ROOT

Result = TypeVar("Result")
Document = Doc[Any]

EMPTY_UPDATE: Final = b"\0\0"
MERGE_AT_ONCE: Final = 200  # merging is quadratic


def new_client(taken: Container[int] = ()) -> int:
    """A client id that nobody has used, as Yjs chooses them; none of those that are `taken`."""
    while (client := random.getrandbits(32)) in taken:
        pass
    return client


def new_doc(*updates: bytes, client: int | None = None) -> Document:
    """A document with `updates` applied in order. Raises Damaged."""
    doc: Document = Doc(client_id=client) if client is not None else Doc()
    _content(doc)
    for update in updates:
        apply(doc, update)
    return doc


def apply(doc: Document, update: bytes) -> None:
    """Raises Damaged; the document must not be used after that."""
    _guarded(lambda: doc.apply_update(update))


def apply_all(doc: Document, updates: Sequence[bytes]) -> None:
    """As one change: who watches hears of it once. Raises Damaged, as `apply`."""

    def change() -> None:
        with doc.transaction():
            for update in updates:
                doc.apply_update(update)

    _guarded(change)


def text_of(doc: Document) -> str:
    return _guarded(lambda: str(_content(doc)))


def state_of(doc: Document) -> bytes:
    """All of it as one update."""
    return _guarded(doc.get_update)


def diff_since(doc: Document, state_vector: bytes) -> bytes:
    """What someone who has `state_vector` lacks, as one update."""
    return _guarded(lambda: doc.get_update(state_vector))


def insert(doc: Document, byte_offset: int, new: str) -> None:
    """Type `new` there, as the document's own client."""
    _guarded(lambda: _content(doc).insert(byte_offset, new))


@contextmanager
def watched(doc: Document, follow: Callable[[Sequence[dict[str, Any]]], None]) -> Iterator[None]:
    """While it lasts, `follow` hears of every change as a Yjs delta that counts UTF-8 bytes.

    Not for live pages: watching a worn one costs up to a millisecond a change."""
    content = _content(doc)
    subscription = content.observe(lambda event: follow(event.delta))  # type: ignore[attr-defined]
    try:
        yield
    finally:
        content.unobserve(subscription)


def text_of_updates(updates: Sequence[bytes]) -> str:
    """The text that `updates`, in order, make. Raises Damaged."""
    return text_of(new_doc(*updates))


def compacted(updates: Sequence[bytes]) -> bytes:
    """One update that stands for all, by way of a fresh document."""
    return state_of(new_doc(*updates))


def merge(updates: Sequence[bytes]) -> bytes:
    """One update with the content of all, which must follow each other without a gap."""
    merged = list(updates)
    while len(merged) > 1:
        merged = [
            _guarded(lambda part=part: merge_updates(*part))  # type: ignore[misc]
            for part in (
                merged[at : at + MERGE_AT_ONCE] for at in range(0, len(merged), MERGE_AT_ONCE)
            )
        ]
    return merged[0] if merged else EMPTY_UPDATE


def replace_update(state: bytes, client: int, new_text: str) -> bytes:
    """The update that turns the text of `state` into `new_text`, made under `client`.

    Words that stay keep their authors. b"" when nothing changes. If `state` is older than the
    page, `client` must be a new one; what was typed since is then merged, not replaced."""
    doc = new_doc(state, client=client)
    return _changed(doc, edits(text_of(doc), new_text))


def edited_update(state: bytes, client: int, changes: Sequence[Edit]) -> bytes:
    """As `replace_update`, for who knows what was changed: from the front, none overlapping."""
    return _changed(new_doc(state, client=client), changes)


def _changed(doc: Document, changes: Sequence[Edit]) -> bytes:
    if not changes:
        return b""
    content, old_text = _content(doc), text_of(doc)
    before = doc.get_state()

    def change() -> None:
        with doc.transaction():
            for start, end, new in reversed(changes):
                first = byte_offset(old_text, start)
                if end > start:
                    del content[first : first + len(old_text[start:end].encode())]
                if new:
                    content.insert(first, new)

    _guarded(change)
    return diff_since(doc, before)


def plain(raw: str) -> str:
    """`raw` as a page may hold it: lines end in LF, no NUL, no halves of characters."""
    joined = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return joined.encode("utf-8", "replace").decode()


def rebased(base: str, wanted: str, current: str) -> str:
    """What `current` becomes when somebody who saw `base` made `wanted` of it: both changes,
    merged as if both had been typed at the same time."""
    if base == current:
        return wanted
    if base == wanted:
        return current
    first = first_update(base, 1)
    theirs, mine = replace_update(first, 2, current), replace_update(first, 3, wanted)
    return text_of_updates([one for one in (first, theirs, mine) if one])


def first_update(new_text: str, client: int) -> bytes:
    """The update that makes an empty page's text; never empty itself."""
    return replace_update(EMPTY_UPDATE, client, new_text) or EMPTY_UPDATE


def byte_offset(text: str, char_offset: int) -> int:
    """UTF-8 bytes in front of the character."""
    return char_offset if text.isascii() else len(text[:char_offset].encode())


def char_offset(text: str, utf16_offset: int) -> int | None:
    """The character that begins there; None outside the text and inside a pair."""
    if text.isascii():
        return utf16_offset if utf16_offset <= len(text) else None
    encoded = text.encode("utf-16-le")
    if utf16_offset > len(encoded) // 2:
        return None
    try:
        return len(encoded[: 2 * utf16_offset].decode("utf-16-le"))
    except UnicodeDecodeError:
        return None


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def utf16_offset(text: str, char_offset: int) -> int:
    """UTF-16 units in front of the character."""
    return utf16_length(text[:char_offset])


def _content(doc: Document) -> Text:
    content: Text = doc.get(ROOT, type=Text)
    return content


def _guarded(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except Exception as error:  # pycrdt raises many kinds for one cause
        raise Damaged(f"the document could not be read ({error})") from error
    except BaseException as error:  # its panics are told apart below
        if type(error).__name__ != "PanicException":
            raise
        raise Damaged("the document could not be read (panic)") from error
