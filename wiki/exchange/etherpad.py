"""A pad of Etherpad (`.etherpad`), with every change set and its author.

    change set = Z: old length, > or < and the difference, then steps, then $ and what is inserted
    step       = *attribute … |lines, then = (keep), - (delete) or + (insert), and how many units

Numbers are in base 36, lengths count UTF-16 units (Etherpad's src/static/js/Changeset). What was
inserted belongs to the author that its attribute names, what was deleted to the author of the
revision. Changes that follow each other within half a minute are one record, as if typed here.
At the end whoever brings the pad in turns its formatting into Markdown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from wiki.diff import Edit
from wiki.errors import BadInput
from wiki.exchange.arrival import IMPORTER, Arrival, Author, Loss, Version
from wiki.exchange.mediawiki import plain_title

QUIET_MS: Final = 30_000
MAX_AGE_MS: Final = 600_000
_STEP = re.compile(r"((?:\*[0-9a-z]+)*)(?:\|([0-9a-z]+))?([-+=])([0-9a-z]+)|(.)", re.DOTALL)
_HEAD = re.compile(r"Z:([0-9a-z]+)([<>])([0-9a-z]+)")
_LIST = re.compile(r"(bullet|number|indent)(\d+)")
_MARKS: Final = {"bold": "**", "italic": "*", "strikethrough": "~~"}
Attributes = Mapping[str, str]


class Step(NamedTuple):
    """`attributes` are numbers of the pool; `text` is what is inserted."""

    sign: str
    units: int
    attributes: tuple[int, ...]
    text: str = ""


class Pad:
    """One pad. `losses` are complete when its versions have been taken."""

    def __init__(self, path: Path) -> None:
        """Raises BadInput."""
        self.losses: list[Loss] = []
        try:
            self._told: dict[str, Any] = json.loads(path.read_bytes())
            self._key = next(
                key for key, value in self._told.items()
                if key.startswith("pad:") and isinstance(value, dict) and "atext" in value
            )  # fmt: skip
            self._pad: dict[str, Any] = self._told[self._key]
            self._pool = _pool(self._pad["pool"])
            self.head = int(self._pad["head"])
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
            told = (
                f"{path.name} is no export of a pad; Etherpad gives one at /p/NAME/export/etherpad"
            )
            raise BadInput("pad", told) from error
        self.name = self._key.removeprefix("pad:").rpartition("$")[2]

    def arrival(self) -> Arrival:
        title = plain_title(self.name.replace("_", " "))
        return Arrival(self.name, title, self._versions())

    def _versions(self) -> Iterator[Version]:
        """Raises BadInput, which names the revision, when they do not make the pad's text."""
        whole, began_ms, last_ms = "\n", 0, -QUIET_MS
        for number in range(self.head + 1):
            steps, author_id, at_ms = self._revision(number)
            joins = 0 <= at_ms - last_ms < QUIET_MS and at_ms - began_ms < MAX_AGE_MS
            began_ms = began_ms if joins else at_ms
            last_ms = at_ms
            for who, changes in self._turns(steps, author_id):
                if changes[-1][1] > _length(whole):
                    told = f"revision {number} of {self.name} goes beyond the text"
                    raise BadInput("pad", told)
                edits = _in_chars(whole, changes)
                whole = _edited(whole, edits)
                source = f"etherpad {number}"
                yield Version(self._author(who), at_ms, whole, source, edits, is_joined=joins)
                joins = True
        if whole != self._pad["atext"]["text"]:
            raise BadInput(
                "pad", f"the revisions of {self.name} do not make its text; it is damaged"
            )
        yield from self._as_markdown(whole, last_ms)
        self._tell()

    def _revision(self, number: int) -> tuple[list[Step], str, int]:
        try:
            found = self._told[f"{self._key}:revs:{number}"]
            meta = found["meta"]
            steps = list(unpacked(found["changeset"]))
            return steps, str(meta.get("author") or ""), int(meta.get("timestamp") or 0)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput("pad", f"revision {number} of {self.name} cannot be read") from error

    def _turns(
        self, steps: Sequence[Step], author_id: str
    ) -> Iterator[tuple[str, list[tuple[int, int, str]]]]:
        """The revision as changes of one author after the other, in units of the text as it is
        when the turn begins."""
        turn: list[tuple[int, int, str]] = []
        at = grown = 0
        author = author_id
        for sign, units, attributes, inserted in steps:
            if sign == "=":
                at += units
                continue
            named = (self._pool[one][1] for one in attributes if self._name(one) == "author")
            who = (next(named, "") if sign == "+" else "") or author_id
            if turn and who != author:
                yield author, _joined(turn)
                turn, at, grown = [], at + grown, 0
            author = who
            turn.append((at, at + (units if sign == "-" else 0), inserted))
            at += units if sign == "-" else 0
            grown += _length(inserted) if sign == "+" else -units
        if turn:
            yield author, _joined(turn)

    def _name(self, number: int) -> str:
        return self._pool.get(number, ("", ""))[0]

    def _author(self, author_id: str) -> Author:
        found = self._told.get(f"globalAuthor:{author_id}")
        name = str(found.get("name") or "") if isinstance(found, dict) else ""
        if not author_id:
            return Author("Etherpad", "etherpad")
        return Author(name or "somebody without a name", f"etherpad {author_id}")

    # -- what the text looked like

    def _as_markdown(self, whole: str, at_ms: int) -> Iterator[Version]:
        shown = self._formatted(whole)
        if shown != whole:
            told = "its formatting became Markdown, in a revision of whoever brings it in"
            self.losses.append((self.name, told))
            yield Version(IMPORTER, at_ms, shown, "etherpad formatting")

    def _formatted(self, whole: str) -> str:
        runs = _runs(whole, self._pad["atext"]["attribs"])
        lines: list[list[tuple[str, Attributes]]] = [[]]
        for piece, numbers in runs:
            looks = {self._name(one): self._pool[one][1] for one in numbers if one in self._pool}
            for place, part in enumerate(piece.split("\n")):
                if place:
                    lines.append([])
                if part:
                    lines[-1].append((part, looks))
        return "\n".join(map(_line, lines))

    def _tell(self) -> None:
        told = {
            "messages of the chat are left out": int(self._pad.get("chatHead", -1)) + 1,
            "names of saved revisions are left out": len(self._pad.get("savedRevisions", ())),
            "comments are left out": sum(key.startswith("comments:") for key in self._told),
        }
        self.losses += [(self.name, f"{count:,} {what}") for what, count in told.items() if count]


def unpacked(changeset: str) -> Iterator[Step]:
    """The steps of a change set. Raises ValueError for what is none."""
    head = _HEAD.match(changeset)
    body, dollar, bank = changeset.partition("$")
    if head is None or not dollar:
        raise ValueError("this is no change set")
    units, used = _units(bank), 0
    for found in _STEP.finditer(body, head.end()):
        if found[5]:
            raise ValueError("a change set has a step of no kind")
        count, numbers = int(found[4], 36), re.findall(r"[0-9a-z]+", found[1])
        inserted = ""
        if found[3] == "+":
            inserted = units[used : used + 2 * count].decode("utf-16-le", "replace")
            used += 2 * count
        yield Step(found[3], count, tuple(int(one, 36) for one in numbers), inserted)
    if used != len(units):
        raise ValueError("a change set inserts less than it brings")


def _runs(whole: str, attributes: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The text in pieces that look the same."""
    units, at = _units(whole), 0
    for found in _STEP.finditer(attributes):
        end = at + 2 * int(found[4] or "0", 36)
        numbers = tuple(int(one, 36) for one in re.findall(r"[0-9a-z]+", found[1] or ""))
        yield units[at:end].decode("utf-16-le", "replace"), numbers
        at = end
    if at < len(units):
        yield units[at:].decode("utf-16-le", "replace"), ()


def _line(pieces: Sequence[tuple[str, Attributes]]) -> str:
    """A line as Markdown: what a mark in front of it says, then what its words look like."""
    lead, rest = "", list(pieces)
    if rest and "lmkr" in rest[0][1]:
        text, looks = rest[0]
        lead = _lead(looks)
        rest[0] = (text[1:], {})  # the mark itself is a star that nobody typed
    shown = []
    for text, looks in rest:
        bare, marks = text.strip(), [mark for name, mark in _MARKS.items() if looks.get(name)]
        if bare and marks:
            head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
            text = f"{head}{''.join(marks)}{bare}{''.join(reversed(marks))}{tail}"
        shown.append(text)
    return lead + "".join(shown)


def _lead(looks: Attributes) -> str:
    heading = re.fullmatch(r"h([1-6])", looks.get("heading", ""))
    if heading:
        return "#" * int(heading[1]) + " "
    found = _LIST.fullmatch(looks.get("list", ""))
    if not found or found[1] == "indent":
        return ""
    return "  " * (int(found[2]) - 1) + ("- " if found[1] == "bullet" else "1. ")


def _pool(told: Mapping[str, Any]) -> dict[int, tuple[str, str]]:
    return {int(n): (str(name), str(value)) for n, (name, value) in told["numToAttrib"].items()}


def _units(whole: str) -> bytes:
    return whole.encode("utf-16-le", "surrogatepass")


def _length(whole: str) -> int:
    return len(_units(whole)) // 2


def _joined(changes: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Changes at one place become one."""
    out: list[tuple[int, int, str]] = []
    for start, end, new in changes:
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], end, out[-1][2] + new)
        else:
            out.append((start, end, new))
    return out


def _in_chars(whole: str, changes: Sequence[tuple[int, int, str]]) -> list[Edit]:
    if whole.isascii() or max(whole, default="") <= "\uffff":
        return [Edit(*one) for one in changes]
    units = _units(whole)

    def chars(place: int) -> int:
        return len(units[: 2 * place].decode("utf-16-le", "replace"))

    return [Edit(chars(start), chars(end), new) for start, end, new in changes]


def _edited(whole: str, changes: Sequence[Edit]) -> str:
    for start, end, new in reversed(changes):
        whole = whole[:start] + new + whole[end:]
    return whole
