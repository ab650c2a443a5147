"""What people said and decided, what was taken out, what came from elsewhere: all of it travels."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from tests.support.clones import followed, repository, unpacked
from tests.support.exports import export
from tests.support.git import git, needs_git
from tests.support.wikis import START_MS, Wiki, a_wiki
from wiki import anchor, fact, history, journal, naming, page, people, redaction, talk, versioning
from wiki.anchor import Place
from wiki.exchange.arrival import Arrival, Author, Authors, Version, arrive, composed
from wiki.exchange.export import seal_all
from wiki.exchange.import_zip import import_zip
from wiki.exchange.verify import verify_zip
from wiki.store import Store
from wiki.store.tables import comment, fork, label, offer, voice
from wiki.version import State

SECRET = "Anna Blum"


async def a_talkative_wiki(wiki: Wiki) -> None:
    """Comments, an answer, votes, a sponsor, a decision, protection; a name that was taken out; a
    page that came with its history."""
    one = await wiki.page("Idea", f"The bridge of {SECRET} is old.\n", tags=["blue"])
    wiki.now_ms += 60_000
    await wiki.type(one.id, wiki.eve, f"The bridge of {SECRET} is old.\nIt must go.\n")

    def talked(conn: Connection) -> None:
        state, shown = journal.state(conn, one.id), page.text(conn, one.id)
        place = Place(shown.index("bridge"), shown.index("bridge") + 6)
        asked = talk.new_comment("Which one?", anchor.made(state, place))
        steps: list[tuple[str, dict[str, Any]]] = [
            (wiki.eve.id, asked),
            (wiki.ada.id, talk.new_reply(asked["id"], "The old one.")),
            (wiki.eve.id, {"name": "vote", "value": 1}),
            (wiki.ada.id, {"name": "vote", "value": -1}),
            (wiki.ada.id, {"name": "sponsor", "is_sponsor": True}),
            (wiki.ada.id, {"name": "status", "status": "accepted", "reason": "It is old."}),
            (wiki.ada.id, {"name": "protect", "level": "steward"}),
            (wiki.ada.id, {"name": "resolve", "comment": asked["id"], "reason": "Answered."}),
        ]
        for who, step in steps:
            wiki.now_ms += 1000
            fact.act(conn, wiki.key, one.id, who, step, wiki.now_ms)

    def brought(conn: Connection) -> None:
        bob, eva = Author("Bob", "bob@example.org"), Author("Eva", "eva@example.org")
        versions = [Version(bob, 1_000, "one\n", "a 1"), Version(eva, 2_000, "one\ntwo\n", "a 2")]
        coming = composed(Arrival("x", "From elsewhere", versions), wiki.now_ms)
        common = {"space_id": wiki.space.id, "person_id": wiki.ada.id, "quota_bytes": 1}
        authors = Authors(wiki.key)
        arrive(conn, wiki.key, coming, authors, now_ms=wiki.now_ms, **common)

    def versioned(conn: Connection) -> None:
        first = history.revisions(conn, one.id)[-1].record_id
        told = (one.id, wiki.now_ms, wiki.ada.id, "As begun", first)
        naming.name_revision(conn, wiki.key, *told)
        own = versioning.make_version(
            conn,
            wiki.key,
            page.by_id(conn, one.id),
            first,
            space_id=wiki.space.id,
            title="Mine",
            written=[("The bridge is new.", wiki.eve.id)],
            person_id=wiki.eve.id,
            now_ms=wiki.now_ms,
        )
        who = (wiki.eve.id, wiki.now_ms)
        sent = versioning.offer_changes(conn, wiki.key, own, "Newer.", *who)
        versioning.answer(conn, wiki.key, sent, State.DECLINED, "Too new.", wiki.ada.id, who[1])

    def cleaned(conn: Connection) -> None:
        seal_all(conn, wiki.key, wiki.now_ms)
        of = partial(redaction.of_words, thing_id=one.id, words=SECRET)
        redaction.redact(conn, wiki.key, one.id, of, wiki.ada.id, "Asked for it", wiki.now_ms)

    for step in (talked, brought, versioned, cleaned):
        await wiki.store.write(step)


def told(conn: Connection) -> dict[str, Any]:
    """What people see of it."""
    pages = page.changed_since(conn, 0, 100)
    names = {one.id: one.display for one in people.everyone(conn)}
    return {
        "pages": {(one.title, one.status, one.status_reason, one.protection) for one in pages},
        "threads": {one.id: talk.threads(conn, one.id) for one in pages},
        "texts": {one.id: page.text(conn, one.id) for one in pages},
        "blame": {one.id: history.blame(conn, one.id) for one in pages},
        "sources": {
            one.id: [(r.at_ms, r.via, r.authors) for r in history.revisions(conn, one.id)]
            for one in pages
        },
        "comments": set(map(tuple, conn.execute(select(comment)))),
        "voices": set(map(tuple, conn.execute(select(voice)))),
        "labels": set(map(tuple, conn.execute(select(label)))),
        "offers": set(map(tuple, conn.execute(select(offer)))),
        "forks": set(map(tuple, conn.execute(select(fork)))),
        "names": names,
    }


async def test_it_is_all_there_again_and_its_records_are_the_same(tmp_path: Path) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        await a_talkative_wiki(wiki)
        await export(wiki, tmp_path / "out.zip")
        before, key = await wiki.store.read(told), wiki.key
    assert before["comments"] and before["voices"] and len(before["threads"]) == 3
    assert before["labels"] and before["offers"] and before["forks"]
    assert {via for one in before["sources"].values() for _, via, _ in one} >= {"import"}
    store = await Store.open(tmp_path / "new")
    await store.write(lambda c: import_zip(c, tmp_path / "out.zip", tmp_path / "x", START_MS))
    after = await store.read(told)
    for name, value in before.items():
        assert after[name] == value, name
    again = Wiki(store, key, wiki.ada, wiki.eve, wiki.space, now_ms=wiki.now_ms)
    (tmp_path / "second" / "site").mkdir(parents=True)
    await export(again, tmp_path / "second" / "again.zip")
    await store.close()
    with (
        zipfile.ZipFile(tmp_path / "out.zip") as one,
        zipfile.ZipFile(tmp_path / "second" / "again.zip") as two,
    ):
        for name in one.namelist():
            if name.split("/")[0] in ("records", "pages", "facts.csv", "people.json"):
                assert one.read(name) == two.read(name), name
        assert not any(SECRET.encode() in one.read(name) for name in one.namelist())
    redactions = verify_zip(tmp_path / "out.zip").redactions
    assert {one.why for one in redactions} == {"Asked for it"}


@needs_git
async def test_a_clone_forgets_what_was_taken_out(tmp_path: Path) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        one = await wiki.page("Idea", f"The bridge of {SECRET} is old.\n")
        there = repository(wiki, tmp_path)
        old = await followed(wiki, there)
        of = partial(redaction.of_words, thing_id=one.id, words=SECRET)
        await wiki.store.write(
            lambda c: redaction.redact(c, wiki.key, one.id, of, wiki.ada.id, "Asked", wiki.now_ms)
        )
        await followed(wiki, there)
        clone = unpacked(there, tmp_path / "clone")
        assert not there.told([old])
        assert SECRET not in git(clone, "log", "-p", "--format=%B")
        assert (clone / "idea.md").read_text() == "The bridge of  is old.\n"
