"""A page with a long past, written straight into the store: many revisions of several people."""

from __future__ import annotations

from collections.abc import Sequence

from pycrdt import Doc, Text
from sqlalchemy import Connection

from wiki import journal, log, page, seal, text
from wiki.key import SiteKey
from wiki.page import Page
from wiki.record import Part

SECOND_MS = 1000
LONG_CHARS = 4000  # from there on the first half is cut
START_MS = 1_780_000_000_000
SENTENCES = (
    "A night school needs a room that is open when people have time. ",
    "Teachers come from the works council, two evenings a week. ",
    "What it costs was reckoned in May: less than one lost shift. ",
    "Who wants to learn writes their name below. ",
)


def grow(
    conn: Connection,
    key: SiteKey,
    space_id: str,
    people: Sequence[str],
    revisions: int,
    title: str = "Night school",
) -> Page:
    """A page with that many revisions after its first, by `people` (ids) in turns.

    They write for some minutes each, with pauses of an hour, and now and then cut something."""
    made = page.create(
        conn,
        key,
        space_id=space_id,
        title=title,
        text="# How it began\n\n",
        person_id=people[0],
        now_ms=START_MS,
    )
    docs = [_Writer(conn, made.id, person_id) for person_id in people]
    now_ms = START_MS
    for number in range(revisions):
        now_ms += 3600 * SECOND_MS if number % 40 == 0 else 20 * SECOND_MS
        writer = docs[(number // 20) % len(docs)]
        update = writer.write(number)
        for other in docs:
            if other is not writer:
                other.hear(update)
        parts = [Part(writer.person_id, now_ms, update)]
        log.write(conn, key, made.id, "edit", parts, {"via": "api"} if number % 97 == 50 else {})
        if number % 64 == 63:
            seal.save_checkpoint(conn, made.id)  # as sealing does
    page.touch(conn, made.id, people[0], now_ms)
    return page.by_id(conn, made.id)


class _Writer:
    def __init__(self, conn: Connection, page_id: str, person_id: str) -> None:
        self.person_id = person_id
        client = text.new_client()
        journal.lease(conn, page_id, client, person_id)
        self.doc: Doc = Doc(client_id=client)
        self.text: Text = self.doc.get("content", type=Text)
        for update in journal.state(conn, page_id):
            self.doc.apply_update(update)
        self._typed: list[bytes] = []
        self.doc.observe(lambda event: self._typed.append(event.update))

    def hear(self, update: bytes) -> None:
        self.doc.apply_update(update)
        self._typed.clear()

    def write(self, number: int) -> bytes:
        """One sentence more, or one less."""
        whole = str(self.text)
        words = SENTENCES[number % len(SENTENCES)]
        if len(whole) > LONG_CHARS:
            end = whole.index("\n\n", LONG_CHARS // 2)
            del self.text[: len(whole[:end].encode())]
        elif number % 9 == 8 and len(whole) > 400:
            at = whole.index(". ", len(whole) // 3) + 2
            end = whole.index(" ", at + 20)
            del self.text[at:end]
        elif number % 5 == 4:
            self.text.insert(len(whole.encode()), words.strip() + "\n\n")
        elif number % 7 == 3 and number > 40:
            self.text.insert(whole.index("\n\n", len(whole) // 2), f" ({number} to be checked)")
        else:
            self.text.insert(len(whole.encode()), words)
        return self._typed.pop()
