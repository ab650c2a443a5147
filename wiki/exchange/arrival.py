"""Pages that come from elsewhere with their history: whoever wrote a revision there, then, is its
author here, and its time is kept.

    for arrival in source.arrivals():       git_source, mediawiki, fedwiki, etherpad
        coming = composed(arrival)          the updates; pure, outside of any transaction
        arrive(conn, key, coming, …)        all of the page, or nothing of it

Each revision becomes one record with `x.via` = import and `x.source`, which names it where it came
from. Authors become people without a password, told apart by their address, whose id is the same
at every import: it is made of the site's key and the address, and says nothing of either.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from wiki import attachment, fact, journal, log, page, people, seal, text
from wiki.attachment import Prepared
from wiki.diff import Edit
from wiki.errors import BadInput, NameTaken
from wiki.exchange.folder_files import MAX_PAGE_BYTES
from wiki.key import SiteKey
from wiki.names import slugify
from wiki.record import Part, canonical

KIND: Final = "note"
_SIGNED_AS: Final = b"groundswell-imported-person-1\n"
_LARGE: Final = "a revision is too large and is left out"
_SAME: Final = "a revision changed nothing of the text; it is left out"
Loss = tuple[str, str]  # what it is of, in the words of the source; what is lost


class Author(NamedTuple):
    """Who wrote it, as the source says; `address` tells people of one name apart."""

    name: str
    address: str = ""

    @property
    def identity(self) -> str:
        return (self.address or self.name).strip().casefold()


IMPORTER: Final = Author("", "\0importer")  # whoever brings the page in


class Version(NamedTuple):
    """A page's text after a revision. `source` names the revision where it came from. `changes`:
    what was done to the text before, for sources that know more than texts tell."""

    author: Author
    at_ms: int
    text: str
    source: str = ""
    changes: Sequence[Edit] | None = None
    is_joined: bool = False


class Typed(NamedTuple):
    """What one person did, as an update. `is_joined`: in one record with what came before."""

    author: Author
    at_ms: int
    client: int
    update: bytes
    source: str = ""
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """`name` is what the source calls the page; `files` are its own, by their id here."""

    name: str
    title: str
    versions: Iterable[Version]
    tags: Sequence[str] = ()  # of the newest version, once all have been taken
    kind: str = KIND
    files: Mapping[str, Prepared] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coming:
    """An arrival as it will be written."""

    arrival: Arrival
    steps: Sequence[Typed]
    losses: Sequence[Loss]


@dataclass
class Arrived:
    """What has been made. `people`: identity of an author -> what they are called here."""

    pages: int = 0
    revisions: int = 0
    files: int = 0
    people: dict[str, str] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def add(self, other: Arrived) -> None:
        self.pages += other.pages
        self.revisions += other.revisions
        self.files += other.files
        self.people |= other.people
        self.losses += other.losses


def composed(arrival: Arrival, latest_ms: int) -> Coming:
    """The updates that lead from one version to the next; words that stay keep their authors."""
    losses: list[Loss] = []
    clients: dict[str, int] = {}
    steps: list[Typed] = []
    document = text.new_doc()
    before: str | None = ""  # None: not what the next version's changes were made to
    for version in arrival.versions:
        now = text.plain(version.text)
        if len(now.encode()) > MAX_PAGE_BYTES:
            losses.append((arrival.name, f"{_LARGE}; a page has at most {MAX_PAGE_BYTES:,} bytes"))
            before = None
            continue
        client = clients.setdefault(version.author.identity, text.new_client())
        if not steps:
            update = text.first_update(now, client)
        elif version.changes is not None and before is not None and now == version.text:
            update = text.edited_update(text.state_of(document), client, version.changes)
        else:
            update = text.replace_update(text.state_of(document), client, now)
        before = now
        if not update:
            losses += [] if version.is_joined else [(arrival.name, _SAME)]
            continue
        text.apply(document, update)
        at_ms = min(max(version.at_ms, 0), latest_ms)
        joins = version.is_joined and bool(steps)
        step = Typed(version.author, at_ms, client, update, version.source, joins)
        if joins and _is_one_part(steps[-1], step):
            update = text.merge([steps[-1].update, update])
            steps[-1] = steps[-1]._replace(update=update)
        else:
            steps.append(step)
    return Coming(arrival, steps, losses)


def _is_one_part(before: Typed, after: Typed) -> bool:
    """As `seal` makes parts."""
    is_close = 0 <= after.at_ms - before.at_ms < journal.PART_MS
    return before.author.identity == after.author.identity and is_close


class Authors:
    """Whose the revisions are here. `known`: identity or name of an author -> person id."""

    def __init__(
        self, key: SiteKey, known: Mapping[str, str] | None = None, importer_id: str = ""
    ) -> None:
        self._key, self._known = key, {k.casefold(): v for k, v in (known or {}).items()}
        self._ids = {IMPORTER.identity: importer_id}

    def id_of(self, author: Author) -> str:
        identity = author.identity
        if identity not in self._ids:
            known = self._known.get(identity) or self._known.get(author.name.casefold())
            self._ids[identity] = known or self._made_of(identity)
        return self._ids[identity]

    def _made_of(self, identity: str) -> str:
        secret = self._key.sign(_SIGNED_AS + identity.encode())
        digest = hashlib.sha256(secret).digest()[:10]
        return "u:" + base64.b32encode(digest).decode().lower()

    def welcome(self, conn: Connection, authors: Iterable[Author], now_ms: int) -> dict[str, str]:
        """They are people here; those who were not before, by their identity."""
        wanted = {self.id_of(author): author for author in authors}
        here, new = people.several(conn, list(wanted)), {}
        for person_id, author in wanted.items():
            if person_id not in here:
                display = shown(author)
                name = _free_name(conn, display)
                people.create(conn, name=name, display=display, now_ms=now_ms, person_id=person_id)
                new[author.identity] = display
        return new


def shown(author: Author) -> str:
    """What the author can be called here."""
    bare = author.name.strip() or author.address.partition("@")[0]
    try:
        return people.check_display(bare[: people.MAX_DISPLAY_CHARS])
    except BadInput:
        kept = "".join(char for char in bare if char.isalnum() or char in " .-'")
        return " ".join(kept.split())[: people.MAX_DISPLAY_CHARS].strip() or "somebody"


def arrive(
    conn: Connection,
    key: SiteKey,
    coming: Coming,
    authors: Authors,
    *,
    space_id: str,
    person_id: str,
    now_ms: int,
    quota_bytes: int,
) -> Arrived:
    """Make the page with its history, in the transaction of `conn`; `person_id` brings it in.

    A title that is taken gets a number, and the report says so. Raises TooLarge over the quota."""
    arrival, made = coming.arrival, Arrived(losses=list(coming.losses))
    if not coming.steps:
        made.losses.append((arrival.name, "it has no text; it is left out"))
        return made
    made.people = authors.welcome(conn, [step.author for step in coming.steps], now_ms)
    page_id = _created(conn, key, coming, authors, space_id, made)
    records = list(_records(coming.steps[1:]))
    for record in records:
        parts = [Part(authors.id_of(one.author), one.at_ms, one.update) for one in record]
        log.write(conn, key, page_id, "edit", parts, _how(record[0]))
    leases = {(step.client, authors.id_of(step.author)) for step in coming.steps}
    journal.lease_all(conn, [journal.Lease(page_id, *one) for one in sorted(leases)])
    last = max(coming.steps, key=lambda step: step.at_ms)
    page.touch(conn, page_id, authors.id_of(last.author), last.at_ms)
    for identity, file in arrival.files.items():
        held = attachment.add(conn, file, page_id, person_id, now_ms, quota_bytes, identity)
        fact.act(conn, key, page_id, person_id, told(held), now_ms)
    size = sum(len(step.update) for step in coming.steps)
    if len(records) + 1 >= seal.CHECKPOINT_RECORDS or size >= seal.CHECKPOINT_BYTES:
        seal.save_checkpoints(conn, page_id)
    made.pages, made.revisions, made.files = 1, len(records) + 1, len(arrival.files)
    return made


def told(held: attachment.Attachment) -> dict[str, Any]:
    """The fact that a page has the file."""
    return {
        "name": "attach",
        "id": held.id,
        "digest": held.digest,
        "file": held.name,
        "media_type": held.media_type,
        "size": held.size_bytes,
    }


def _created(
    conn: Connection, key: SiteKey, coming: Coming, authors: Authors, space_id: str, made: Arrived
) -> str:
    arrival, first = coming.arrival, coming.steps[0]
    title = arrival.title
    try:
        slug = page.free_slug(conn, space_id, title)
    except NameTaken:
        title = page.numbered_title(conn, space_id, title)
        slug = slugify(title)
        made.losses.append((arrival.name, f"“{arrival.title}” is taken; the page is “{title}”"))
    author_id = authors.id_of(first.author)
    kind, tags = page.check_kind(arrival.kind), list(page.check_tags(arrival.tags))
    x = {"thing": "page", "space": space_id, "kind": kind, **_how(first)}
    called = canonical({"title": title, "slug": slug, "tags": tags}).encode()
    parts = [Part(author_id, first.at_ms, body) for body in (first.update, called)]
    record = log.write(conn, key, "", "create", parts, x)
    page.insert(conn, record.page, record.born, author_id, first.at_ms)
    return record.page


def _records(steps: Sequence[Typed]) -> Iterator[list[Typed]]:
    record: list[Typed] = []
    for step in steps:
        if record and not step.is_joined:
            yield record
            record = []
        record.append(step)
    if record:
        yield record


def _how(step: Typed) -> dict[str, Any]:
    return {"via": "import", **({"source": step.source} if step.source else {})}


def _free_name(conn: Connection, display: str) -> str:
    """A name to sign in with that nobody has: nobody knows a password for it either."""
    bare = re.sub(r"[^\w.-]+", ".", slugify(display), flags=re.UNICODE)[:34].strip(".-") or "person"
    candidates: Iterator[str] = (
        f"{bare}-{number}" if number > 1 else bare for number in range(1, 1_000_000)
    )
    return next(one for one in candidates if people.by_name(conn, one) is None)
