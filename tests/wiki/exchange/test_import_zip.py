"""What was exported comes in again as it was: pages, history, links, authors, rights."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from tests.support.exports import PICTURE, a_full_wiki, export, extended, resealed, taken
from tests.support.wikis import START_MS, Wiki
from wiki import attachment, history, journal, links, listing, log, page, people, seal, space
from wiki.access import Action, Actor, may
from wiki.errors import Conflict, Damaged
from wiki.exchange.import_zip import ZipImport, check_empty, import_zip, undo
from wiki.exchange.verify import verify_zip
from wiki.exchange.verify_alone import canonical, hash_of
from wiki.key import SiteKey
from wiki.record import Part, check, make
from wiki.store import Store
from wiki.store.tables import alias, checkpoint, member, metadata
from wiki.store.tables import page as page_table


@asynccontextmanager
async def imported(tmp_path: Path, zip_path: Path) -> AsyncIterator[Wiki]:
    """The export in a new site with a key of its own."""
    store = await Store.open(tmp_path / "site")
    try:
        folder = tmp_path / "site" / "attachments"
        await store.write(lambda conn: import_zip(conn, zip_path, folder, START_MS))
        ada, eve = await store.read(lambda c: (people.by_name(c, "ada"), people.by_name(c, "eve")))
        ideas = await store.read(lambda c: space.by_slug(c, "ideas"))
        assert ada
        yield Wiki(store, SiteKey.new(), ada, eve or ada, ideas, now_ms=START_MS + 10**6)
    finally:
        await store.close()


def everything(conn: Connection) -> dict[str, Any]:
    """All that an import must bring back."""
    pages = page.changed_since(conn, 0, 1000)
    rows = {name: set(map(tuple, conn.execute(select(t)))) for name, t in _TABLES.items()}
    ids = [one.id for one in space.every(conn)]
    return {
        "pages": {one.id: replace(one, change=0, modified_at_ms=0) for one in pages},
        "order": [one.id for one in listing.recent(conn, ids)],
        "texts": {one.id: page.text(conn, one.id) for one in pages},
        "spaces": {one.id: one for one in space.every(conn)},
        "revisions": {
            one.id: [replace(each, position=0) for each in history.revisions(conn, one.id)]
            for one in pages
        },
        "blame": {one.id: history.blame(conn, one.id) for one in pages},
        "leases": {one.id: journal.leased(conn, one.id) for one in pages},
        "files": {one.id: attachment.of_page(conn, one.id) for one in pages},
        "links": {one.id: [p.id for p in links.backlinks(conn, one, ids)] for one in pages},
        "people": {(one.id, one.name, one.display) for one in people.everyone(conn)},
        **rows,
    }


_TABLES = {"aliases": alias, "members": member}


def contents(path: Path, folders: Collection[str]) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.split("/")[0] in folders]
        return {name: archive.read(name) for name in names}


async def test_a_site_comes_back_as_it_was(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        await export(wiki, tmp_path / "out.zip")
        before = await wiki.store.read(everything)
    async with imported(tmp_path / "new", tmp_path / "out.zip") as wiki:
        after = await wiki.store.read(everything)
        stored = {path.read_bytes() for path in (tmp_path / "new/site/attachments").iterdir()}
    for name, value in before.items():
        assert after[name] == value, name
    assert stored == {PICTURE}


async def test_exported_again_it_has_the_same_records_and_texts(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        first = await export(wiki, tmp_path / "out.zip")
    async with imported(tmp_path / "new", tmp_path / "out.zip") as wiki:
        await export(wiki, tmp_path / "new" / "again.zip")
        assert wiki.key.origin != first.origin
    kept = ("records", "pages", "attachments", "facts.csv", "people.json", "verify.py")
    again = contents(tmp_path / "new" / "again.zip", kept)
    assert again == contents(tmp_path / "out.zip", kept)
    report = verify_zip(tmp_path / "new" / "again.zip")
    assert report.origin != first.origin
    assert report.origins == first.origins


async def test_the_new_site_goes_on_with_a_chain_of_its_own(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        first = await export(wiki, tmp_path / "out.zip")
    async with imported(tmp_path / "new", tmp_path / "out.zip") as wiki:
        found = await wiki.store.read(lambda c: page.resolve(c, wiki.space.id, "second-title")[0])
        await wiki.type(found.id, wiki.eve, "Written in the new house.")
        report = await export(wiki, tmp_path / "new" / "again.zip")
        last = (await wiki.store.read(lambda conn: log.of_page(conn, found.id)))[-1]
    check(last, wiki.key.public_bytes)
    assert report.origins[wiki.key.origin] == 1
    assert verify_zip(tmp_path / "new" / "again.zip").origins[first.origin] == first.records
    async with imported(tmp_path / "third", tmp_path / "new" / "again.zip") as wiki:
        text = await wiki.store.read(lambda conn: page.text(conn, found.id))
    assert text == "Written in the new house."


async def test_a_space_alone_comes_with_pages_that_moved_into_it(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        await export(wiki, tmp_path / "out.zip", space_ids=[wiki.space.id])
        before = await wiki.store.read(everything)
    async with imported(tmp_path / "new", tmp_path / "out.zip") as wiki:
        after = await wiki.store.read(everything)
    for name in ("pages", "texts", "revisions", "leases", "files", "links"):
        mine = {page_id: before[name][page_id] for page_id in after["pages"]}
        assert after[name] == mine, name
    assert len(after["pages"]) == 4


async def test_long_pages_get_their_checkpoint(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        made = await wiki.page("Long")
        for number in range(seal.CHECKPOINT_RECORDS):
            wiki.now_ms += 5000
            await wiki.type(made.id, wiki.ada, "word " * number + "end")
            await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
        await export(wiki, tmp_path / "out.zip")
        text = await wiki.store.read(lambda conn: page.text(conn, made.id))
    async with imported(tmp_path / "new", tmp_path / "out.zip") as wiki:
        kept = await wiki.store.read(lambda conn: list(conn.scalars(select(checkpoint.c.page_id))))
        assert kept == [made.id]
        assert await wiki.store.read(lambda conn: page.text(conn, made.id)) == text


async def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_bytes(taken().whole)
    store = await Store.open(tmp_path / "site")

    def bring_in(conn: Connection) -> tuple[dict[str, str], set[str]]:
        people.create(conn, name="ada", is_admin=True, now_ms=1)
        made = import_zip(conn, tmp_path / "out.zip", tmp_path / "files", START_MS)
        return made.renamed, {one.name for one in people.everyone(conn)}

    renamed, names = await store.write(bring_in)
    await store.close()
    assert renamed == {"ada": "ada-2"}
    assert names == {"ada", "ada-2", "eve", "bob"}


async def test_only_an_empty_site_takes_one_in_and_a_damaged_one_leaves_no_trace(
    tmp_path: Path,
) -> None:
    whole = taken().whole
    (tmp_path / "out.zip").write_bytes(whole)
    (tmp_path / "bad.zip").write_bytes(whole[:9000] + b"!" + whole[9001:])
    store = await Store.open(tmp_path / "site")
    with pytest.raises(Damaged):
        await store.write(lambda c: import_zip(c, tmp_path / "bad.zip", tmp_path / "files", 1))
    assert await store.read(people.everyone) == []
    await store.write(lambda c: import_zip(c, tmp_path / "out.zip", tmp_path / "files", 1))
    with pytest.raises(Conflict, match="has pages already"):
        await store.write(lambda c: import_zip(c, tmp_path / "out.zip", tmp_path / "files", 1))
    await store.close()


def test_a_text_that_its_records_do_not_make_is_found(tmp_path: Path) -> None:
    made = taken()
    name = next(name for name in made.files if name.endswith(".md"))
    forged = {**made.files, name: b"Something else."}
    (tmp_path / "out.zip").write_bytes(resealed(forged, made.key))
    with pytest.raises(Damaged, match="not the text that the records make") as caught:
        verify_zip(tmp_path / "out.zip")
    assert caught.value.where == name


def test_updates_that_would_poison_a_page_are_named(tmp_path: Path) -> None:
    made = taken()
    name = max(
        (n for n in made.files if n.startswith("records/")), key=lambda n: len(made.files[n])
    )
    last = json.loads(json.loads(made.files[name].splitlines()[-1])["header"])
    poison = b"\x01\x01\x05\x00\x04\x01\x07another\x01x\x00"
    bad = make(
        made.key,
        page=last["page"],
        seq=last["seq"] + 1,
        prev=hash_of(canonical(last).encode()),
        kind="edit",
        parts=[Part("u:ada", START_MS, poison)],
        x={},
    )
    (tmp_path / "out.zip").write_bytes(extended(made, bad))
    with pytest.raises(Damaged, match="rule 3 of the gate") as caught:
        verify_zip(tmp_path / "out.zip")
    assert caught.value.where == f"{name}, record {bad.id}"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"name": "levitate"}, "there is no such act"),
        ({"name": "rename"}, "title"),
        ({"name": "move"}, "space"),
        ({"name": "settings", "slug": "../up"}, "../up"),
        ({"name": "attach", "id": "12345678", "digest": "../../site.key"}, "digest"),
        ({"name": "attach", "id": "../../xx"}, "id"),
        (["no", "act"], "list indices"),
    ],
)
async def test_an_act_that_cannot_be_applied_is_named(
    tmp_path: Path, told: dict[str, Any], why: str
) -> None:
    made = taken()
    things = "spaces" if "settings" in str(told) else "pages"
    page_id = next(iter(json.loads(made.files["manifest.json"])[things]))
    name = f"records/{page_id}.jsonl"
    last = json.loads(json.loads(made.files[name].splitlines()[-1])["header"])
    bad = make(
        made.key,
        page=page_id,
        seq=last["seq"] + 1,
        prev=hash_of(canonical(last).encode()),
        kind="fact",
        parts=[Part("u:ada", START_MS, canonical(told).encode())],
        x={},
    )
    (tmp_path / "out.zip").write_bytes(extended(made, bad))
    store = await Store.open(tmp_path / "new")
    with pytest.raises(Damaged, match=f"cannot be applied.*{re.escape(why)}") as caught:
        await store.write(lambda c: import_zip(c, tmp_path / "out.zip", tmp_path / "files", 1))
    await store.close()
    assert caught.value.where == f"record {bad.id}"
    assert not (tmp_path / "files").exists()


async def test_people_json_is_read_with_care(tmp_path: Path) -> None:
    made = taken()
    told = json.loads(made.files["people.json"])
    next(iter(told["people"].values()))["name"] = "no good name"
    forged = {**made.files, "people.json": json.dumps(told).encode()}
    (tmp_path / "out.zip").write_bytes(resealed(forged, made.key))
    store = await Store.open(tmp_path / "new")
    with pytest.raises(Damaged) as caught:
        await store.write(lambda c: import_zip(c, tmp_path / "out.zip", tmp_path / "files", 1))
    await store.close()
    assert caught.value.where == "people.json"


async def test_an_import_is_many_short_steps_and_nobody_writes_in_between(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        for number in range(700):
            await wiki.page(f"Page {number}", "text")
        await export(wiki, tmp_path / "out.zip")
    store = await Store.open(tmp_path / "new")
    importing = ZipImport(tmp_path / "out.zip", tmp_path / "files", 1)
    admin = Actor("u:admin", is_admin=True)
    count = 0
    for step in importing.steps():
        found = await store.read(space.every)
        assert not any(may(admin, Action.EDIT, one.access) for one in found)
        await store.write(step)
        count += 1
    found = await store.read(space.every)
    assert count > 5 and [one.openness for one in found] == ["members", "signed_in"]
    assert all(may(admin, Action.EDIT, one.access) for one in found)
    await store.close()


@pytest.mark.parametrize("at", [1, 3, 5])
async def test_one_that_is_broken_off_is_taken_away_by_the_next(tmp_path: Path, at: int) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        for number in range(400):
            await wiki.page(f"Page {number}", "text")
        report = await export(wiki, tmp_path / "out.zip")
    store = await Store.open(tmp_path / "new")
    importing = ZipImport(tmp_path / "out.zip", tmp_path / "files", 1)
    for step in islice(importing.steps(), at):
        await store.write(step)
    await store.write(lambda c: import_zip(c, tmp_path / "out.zip", tmp_path / "files", 1))
    assert await store.read(lambda c: c.scalar(select(func.count(page_table.c.id)))) == report.pages
    with pytest.raises(Conflict):
        await store.read(check_empty)
    await store.close()


async def test_what_is_undone_leaves_an_empty_site(tmp_path: Path) -> None:
    made = taken()
    (tmp_path / "out.zip").write_bytes(made.whole)
    store = await Store.open(tmp_path / "new")
    for step in islice(ZipImport(tmp_path / "out.zip", tmp_path / "files", 1).steps(), 2):
        await store.write(step)
    await store.write(undo)
    left = {"setting", "follower", "migration", "edition"}
    for name, table in metadata.tables.items():
        query = select(func.count()).select_from(table)
        count = await store.read(lambda c, query=query: c.scalar(query))
        assert name in left or count == 0 or "key" in name, (name, count)
    await store.close()
