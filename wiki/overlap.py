"""Text that comes twice: in live frames and then in a record, or adopted and then from its origin.

Under one (client, clock) there is one unit, for ever: what comes again must be the same. Where text
has been removed since (`None`), only its place is compared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from wiki import causal, journal, log
from wiki.gate import Gate
from wiki.record import Record
from wiki.update import Unit, parse

Units = dict[tuple[int, int], Unit]


def differing(
    conn: Connection,
    page_id: str,
    known: Mapping[int, int],
    updates: Sequence[bytes],
    overlaps: Collection[int],
) -> int | None:
    """Which of `updates` says otherwise what the page's records, or another of them, say."""
    wanted: dict[int, tuple[int, int]] = {}
    for of in overlaps:
        for section in parse(updates[of], is_limited=False).sections:
            start, end = wanted.get(section.client, (section.clock, 0))
            length = sum(block.length for block in section.blocks)
            wanted[section.client] = min(start, section.clock), max(end, section.clock + length)
    said: Units = {}
    for record in log.of_page(conn, page_id) if any(client in known for client in wanted) else ():
        for part in record.text_parts:
            said.update(causal.units_of(part.update, wanted))
    for of, update in enumerate(updates):
        for place, unit in causal.units_of(update, wanted).items():
            if not is_same(said.setdefault(place, unit), unit):
                return of
    return None


def is_same(one: Unit, other: Unit) -> bool:
    is_same_place = (one.origin, one.right_origin) == (other.origin, other.right_origin)
    return is_same_place and (None in (one.content, other.content) or one.content == other.content)


def drop_covered(
    conn: Connection, page_id: str, own: str, applied: Sequence[Record], gate: Gate
) -> set[str]:
    """Take journal rows away that the page's records hold now; the page, if a live frame said
    otherwise than the record that came after it: then the record counts."""
    chains = {one.chain for one in applied} | {str(one.x.get("of", "")) for one in applied}
    sealed = {one.seq for one in applied if one.chain == own}
    gone, rebuilt = [], set[str]()
    for row in journal.rows(conn, page_id):
        if not row.chain:
            is_back = not row.seq and own in chains and _is_known(gate, row.update)
            if is_back or (row.seq and row.seq in sealed):  # sealed just now, or before a restore
                gone.append(row.n)
        elif row.chain in chains and _is_known(gate, row.update):
            gone.append(row.n)
            if _says_otherwise(row.update, applied):
                rebuilt.add(page_id)
    journal.drop(conn, gone)
    return rebuilt


def is_known_text(gate: Gate, update: bytes) -> bool:
    """Whether the update brings no text that the page has not."""
    known = gate.state_vector
    return all(
        section.clock + sum(block.length for block in section.blocks)
        <= known.get(section.client, 0)
        for section in parse(update, is_limited=False).sections
    )


def _is_known(gate: Gate, update: bytes) -> bool:
    deletes = parse(update, is_limited=False).deletes
    return is_known_text(gate, update) and all(gate.is_deleted(*one) for one in deletes)


def _says_otherwise(update: bytes, applied: Sequence[Record]) -> bool:
    wanted = {
        section.client: (section.clock, section.clock + sum(one.length for one in section.blocks))
        for section in parse(update, is_limited=False).sections
    }
    shown = causal.units_of(update, wanted)
    return any(
        not is_same(shown.get(place, unit), unit)
        for record in applied
        for part in record.text_parts
        for place, unit in causal.units_of(part.update, wanted).items()
    )
