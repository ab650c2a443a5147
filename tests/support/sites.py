"""Several sites that write one page, without a network: a message is what a test carries across.

Each site is the real thing below the network: the schema, the log, sealing, accepting. A database
in memory stands for the disk; what rooms do with live frames is done here, by the same gate.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, StaticPool, create_engine, event

from wiki import (
    adopt,
    chain,
    check,
    fact,
    frame,
    grant,
    held,
    journal,
    log,
    page,
    peer,
    redaction,
    seal,
    space,
    talk,
    text,
    views,
    voice,
)
from wiki.accept import Acceptance, Outcome
from wiki.access import Role
from wiki.errors import BadUpdate, Conflict, Forbidden, NotFound
from wiki.exchange import known_keys
from wiki.frame import Frame
from wiki.gate import Gate
from wiki.grant import Terms
from wiki.key import SiteKey
from wiki.peer import PeerState
from wiki.record import Record
from wiki.store.migrations import migrate
from wiki.update import parse

START_MS = 1_790_000_000_000


def _template() -> sqlite3.Connection:
    """An empty site's database, made once."""
    raw = sqlite3.connect(":memory:", check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    with engine.begin() as conn:
        migrate(conn)
    return raw


_EMPTY = _template()
_DIALECT = create_engine("sqlite://").dialect  # one, for which statements are compiled once
_STATEMENTS: dict[Any, Any] = {}


class Site:
    """`person` is the one who types here, under one client id."""

    def __init__(self, name: str, now_ms: int = START_MS, seed: int = 0) -> None:
        self._raw = raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _EMPTY.backup(raw)
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        engine.dialect = _DIALECT
        self._engine = engine.execution_options(compiled_cache=_STATEMENTS)
        event.listen(self._engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN"))
        self.name, self.person = name, f"u:{name}"
        self.key = SiteKey(Ed25519PrivateKey.from_private_bytes(f"{name:8}{seed:24}".encode()))
        self.acceptance = Acceptance(self.key)
        self.client, self.frames = text.new_client(), 0
        self.typed: dict[str, int] = {}  # page -> the clock after what was typed here
        self.now_ms = now_ms

    @property
    def origin(self) -> str:
        return self.key.origin

    @contextmanager
    def open(self) -> Iterator[Connection]:
        with self._engine.begin() as conn:
            yield conn

    def close(self) -> None:
        self._engine.dispose()
        self._raw.close()

    def knows(self, other: Site) -> None:
        """A connection that both have confirmed."""
        with self.open() as conn:
            peer.keep(
                conn,
                origin=other.origin,
                name=other.name,
                address=f"https://{other.name}.example",
                contact="",
                chain=other.key.chain,
                state=PeerState.CONNECTED,
                now_ms=START_MS,
            )

    def learns_keys_of(self, other: Site) -> None:
        """As whoever gets a request with a key that is not known here asks for them; `other` passes
        on those of others that it knows."""
        with other.open() as conn:
            told = peer.passed_keys(conn, (one.origin for one in peer.every(conn)))
        with self.open() as conn:
            assert not peer.learn_keys(conn, told | {other.origin: list(other.key.chain)})

    # -- a page

    def found(self, others: list[Site], role: Role = Role.EDITOR) -> str:
        """A space with a page that is shared with `others`; the page's id."""
        with self.open() as conn:
            ideas = space.create(
                conn, self.key, title="Ideas", created_by=self.person, now_ms=self.now_ms
            )
            for other in others:
                told = {"person_id": self.person, "now_ms": self.now_ms}
                grant.give(conn, self.key, ideas.id, other.origin, Terms(role), **told)
            made = page.create(
                conn, self.key, space_id=ideas.id, title="Idea", text="Begin. ",
                person_id=self.person, now_ms=self.now_ms,
            )  # fmt: skip
        return made.id

    def type(self, page_id: str, start: int, removed: int, new: str) -> Frame | None:
        """Replace text as one who sits here; the live frame for the others."""
        with self.open() as conn:
            state = text.compacted(journal.state(conn, page_id))
            old = text.text_of_updates([state])
            start = min(start, len(old))
            whole = old[:start] + new + old[start + removed :]
            update = text.replace_update(state, self.client, whole)
            if not update:
                return None
            journal.lease(conn, page_id, self.client, self.person)
            journal.append(conn, page_id, self.person, self.now_ms, update)
            page.touch(conn, page_id, self.person, self.now_ms)
            self.frames += 1
            for section in parse(update).sections:
                if section.client == self.client:
                    length = sum(block.length for block in section.blocks)
                    self.typed[page_id] = section.clock + length
            seq = (log.own_head(conn, page_id, self.origin) or (0, ""))[0] + 1
            told = (self.person, self.now_ms, update)
            return frame.sign(self.key, page_id, seq, self.frames, *told)

    def see(self, shown: Frame) -> bool:
        """A live frame came; whether it was taken."""
        with self.open() as conn:
            frame.check(conn, shown, self.key)
            gate = Gate()
            for update in journal.state(conn, shown.page):
                gate.learn(update)
            try:
                admitted = gate.admit(shown.update, lambda client: True)
            except BadUpdate:
                return False
            if admitted.is_empty:
                return False
            person = f"{shown.person_id}@{shown.chain}"
            for client in admitted.clients:
                journal.lease(conn, shown.page, client, person)
            journal.append(
                conn, shown.page, person, shown.at_ms, shown.update,
                chain=shown.chain, seq=shown.seq, evidence=shown.evidence,
            )  # fmt: skip
            return True

    def seal(self, page_id: str) -> None:
        with self.open() as conn:
            seal.seal(conn, self.key, page_id, self.now_ms)
            self.acceptance.drain(conn, page_id, self.now_ms)

    def adopt(self, page_id: str, other: Site) -> Record | None:
        with self.open() as conn:
            made = adopt.adopt(conn, self.key, page_id, other.origin)
            self.acceptance.drain(conn, page_id, self.now_ms)
            return made

    def act(self, page_id: str, told: dict[str, Any]) -> bool:
        """Somebody here does something that is not text; False when it cannot be done here now."""
        try:
            with self.open() as conn:
                fact.act(conn, self.key, page_id, self.person, told, self.now_ms)
                self.acceptance.drain(conn, page_id, self.now_ms)
        except (Conflict, Forbidden, NotFound):
            return False
        return True

    def redact(self, page_id: str, words: str) -> bool:
        """Take `words` out of the record; False where they are not, or not this site's to take."""
        try:
            with self.open() as conn:
                find = partial(redaction.of_words, thing_id=page_id, words=words)
                told = (self.person, "private", self.now_ms)
                redaction.redact(conn, self.key, page_id, find, *told)
                self.acceptance.drain(conn, page_id, self.now_ms)
        except (Conflict, NotFound, Forbidden):
            return False
        return True

    def share(self, page_id: str, other: Site, role: Role = Role.EDITOR) -> None:
        """The space that the page stands in."""
        with self.open() as conn:
            told = {"person_id": self.person, "now_ms": self.now_ms}
            space_id = page.by_id(conn, page_id).space_id
            grant.give(conn, self.key, space_id, other.origin, Terms(role), **told)

    def revoke(self, page_id: str, other: Site) -> None:
        with self.open() as conn:
            told = {"person_id": self.person, "now_ms": self.now_ms}
            space_id = page.by_id(conn, page_id).space_id
            grant.revoke(conn, self.key, space_id, other.origin, **told)

    def gives(self, page_id: str, other: Site) -> bool:
        """Whether the page leaves for `other`, as far as this site knows."""
        with self.open() as conn:
            try:
                space_id = page.by_id(conn, page_id).space_id
            except NotFound:
                return False
            return grant.may_see(conn, page_id, space_id, other.origin, self.now_ms)

    def rotate(self) -> None:
        """A new key; what was signed with the old one stays."""
        self.key = self.key.rotated(self.now_ms)
        self.restart()

    def restart(self) -> None:
        """What it kept in memory is gone."""
        self.acceptance = Acceptance(self.key)

    def checkpoint(self, page_id: str) -> None:
        with self.open() as conn:
            seal.save_checkpoint(conn, page_id)

    def receive(self, record: Record, sender: Site | None = None) -> Outcome:
        """A record came from `sender`, by default from its own origin."""
        with self.open() as conn:
            bare = Record(record.header, record.signature, record.salt, record.body)
            origin = sender.origin if sender else record.chain
            return self.acceptance.receive(conn, bare, origin, self.now_ms)

    # -- what it has

    def records(self, thing_id: str | None = None) -> list[Record]:
        """All that it can pass on, applied or not."""
        with self.open() as conn:
            if thing_id is not None:
                return log.of_page(conn, thing_id) + held.of_page(conn, thing_id)
            found = log.since(conn, 0, 100_000)
            return found + [one for thing in held.pages(conn) for one in held.of_page(conn, thing)]

    def text(self, page_id: str) -> str:
        with self.open() as conn:
            return page.text(conn, page_id)

    def vector(self, page_id: str) -> dict[int, int]:
        with self.open() as conn:
            gate = Gate()
            for update in journal.state(conn, page_id):
                gate.learn(update)
            return dict(gate.state_vector)

    def heads(self, page_id: str) -> dict[str, tuple[int, str]]:
        with self.open() as conn:
            return log.heads(conn, page_id)

    def waiting(self, page_id: str, without: Collection[Site] = ()) -> tuple[int, int]:
        """Records that are held, but for those of `without`; rows that are not in a record."""
        gone = {one.origin for one in without}
        with self.open() as conn:
            records = [one for one in held.of_page(conn, page_id) if one.chain not in gone]
            return len(records), len(journal.rows(conn, page_id))

    def held_of(self, page_id: str, other: Site) -> set[int]:
        """The numbers of the other's records that wait here."""
        with self.open() as conn:
            return {one.seq for one in held.of_page(conn, page_id) if one.chain == other.origin}

    def foreign_rows(self, page_id: str) -> set[str]:
        """Whose live frames it holds that no record has yet."""
        with self.open() as conn:
            return {row.chain for row in journal.rows(conn, page_id) if row.chain}

    def sheet(self, page_id: str) -> dict[str, Any]:
        """What its tables say of the page, people by the names that they have everywhere."""

        def world(person_id: str | None) -> str | None:
            return f"{person_id}@{self.origin}" if person_id and "@" not in person_id else person_id

        with self.open() as conn:
            one = page.by_id(conn, page_id)
            names = ("title", "kind", "tags", "status", "status_reason", "protection", "language")
            told = {name: getattr(one, name) for name in names}
            told["archived"] = one.archived_at_ms
            told["talk"] = {
                (each.id, world(each.person_id), each.body, world(each.resolved_by), reply.id)
                for each in talk.threads(conn, page_id)
                for reply in (*each.replies, each)
            }
            told["votes"] = {
                (world(each.person_id), each.value) for each in voice.votes(conn, page_id)
            }
            return told

    def retold(self, page_id: str) -> list[str]:
        """What of the tables was otherwise than the record tells it; now it is not."""
        with self.open() as conn:
            return [name for name in views.rebuild(conn, page_id) if name != "tags"]

    def stops(self, of: Site) -> list[chain.Stop]:
        with self.open() as conn:
            return chain.stops(conn, of.origin)

    def problems(self, folder: Any) -> list[Any]:
        with self.open() as conn:
            return check.check(conn, known_keys.known(conn, self.key), folder).problems


@dataclass
class Sites:
    """Connected each with each."""

    all: list[Site] = field(default_factory=list)

    @classmethod
    def named(cls, *names: str, seed: int = 0) -> Sites:
        sites = cls([Site(name, seed=seed) for name in names])
        for one in sites.all:
            for other in sites.all:
                if one is not other:
                    one.knows(other)
        return sites

    def shared_page(self, role: Role = Role.EDITOR, without: Collection[Site] = ()) -> str:
        """A page of the first site that all the others have."""
        home, *others = (one for one in self.all if one not in without)
        page_id = home.found(others, role)
        for record in home.records():
            for other in others:
                outcome = other.receive(record, home)
                assert outcome.verdict == "applied", outcome
        return page_id
