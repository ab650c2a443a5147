"""What is redacted is in no byte of the folder any more, nor in a backup or export made later."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Connection

from search import Indexer, open_index
from tests.support.command_line import Commands, a_site
from web.config import load
from web.site import attachments_of, clones_of, index_of, key_file_of
from wiki import anchor, attachment, fact, journal, page, people, space, talk, text
from wiki.anchor import Place
from wiki.exchange import verify_alone
from wiki.key import SiteKey
from wiki.store import Store
from wiki.store.tables import file_text

NAME, TEXT, TITLE, SAID, FILE, EXIF = (
    f"zq{word}zq" for word in ("name", "text", "title", "said", "file", "exif")
)
MARKERS = (NAME, TEXT, TITLE, SAID, FILE, EXIF)


def write(conn: Connection, page_id: str, person_id: str, body: str) -> None:
    client, state = text.new_client(), text.compacted(journal.state(conn, page_id))
    journal.lease(conn, page_id, client, person_id)
    journal.append(conn, page_id, person_id, 2, text.replace_update(state, client, body))
    page.touch(conn, page_id, person_id, 2)


def filled(commands: Commands) -> tuple[str, str]:
    return asyncio.run(_filled(commands))


async def _filled(commands: Commands) -> tuple[str, str]:
    """A page of ada's and one of the person's, who wrote in both; their ids."""
    config = load(environment={}, given={"data.folder": str(commands.folder)})
    key = SiteKey.load_or_create(key_file_of(config))
    store = await Store.open(commands.folder)
    data = b"\xff\xd8\xff\xe1Exif\0\0" + EXIF.encode()
    prepared = attachment.accept(attachments_of(config), f"{FILE}.jpg", data)

    def fill(conn: Connection) -> tuple[str, str]:
        ada, ideas = people.by_name(conn, "ada"), space.by_slug(conn, "ideas")
        who = people.create(conn, name=NAME, display=f"{NAME} Person", now_ms=1)
        assert ada is not None
        common = {"space_id": ideas.id, "now_ms": 1}
        one = page.create(conn, key, title="Ours", text="Ada wrote.", person_id=ada.id, **common)
        own = page.create(
            conn, key, title=f"{TITLE} page", text=f"{TEXT}!", person_id=who.id, **common
        )
        write(conn, one.id, who.id, f"Ada {TEXT} wrote.")
        write(conn, one.id, ada.id, f"Ada {TEXT} wrote this.")

        def act(of: str, by: str, **told: object) -> None:
            fact.act(conn, key, of, by, told, 3)

        at = anchor.made(journal.state(conn, one.id), Place(4, 4 + len(TEXT)))
        asked = talk.new_comment(f"{SAID}?", at)
        act(one.id, who.id, **asked)
        act(one.id, ada.id, **talk.new_reply(str(asked["id"]), "Fine."))
        act(one.id, ada.id, **talk.new_comment("Why that word?", at))
        act(own.id, ada.id, name="rename", title="Another")
        file = attachment.add(conn, prepared, one.id, who.id, 4, 10**9)
        conn.execute(file_text.insert().values(digest=file.digest, text=f"says {EXIF}"))
        act(one.id, who.id, name="attach", id=file.id, digest=file.digest, file=file.name,
            media_type=file.media_type, size=file.size_bytes)  # fmt: skip
        write(conn, one.id, who.id, f"Ada {TEXT} wrote this.\n\n![{FILE}.jpg](/files/{file.id})")
        return one.id, own.id

    found = await store.write(fill)
    index = open_index(config.search_engine, index_of(config))
    await Indexer(store, index).caught_up()
    index.close()
    clones_of(config).mkdir(parents=True)
    (clones_of(config) / "pack").write_text(TEXT)
    await store.close()
    leave_remains(commands.folder / "wiki.db")
    return found


def leave_remains(database: Path) -> None:
    """As SQLite leaves them where it was not built to overwrite what is deleted."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA secure_delete=OFF")
        row = ("remains", f"{TEXT} {TITLE} " * 2000)
        connection.execute("INSERT INTO setting VALUES (?, ?)", row)
        connection.commit()
        connection.execute("DELETE FROM setting WHERE name = 'remains'")


def holding(folder: Path, words: tuple[str, ...] = MARKERS) -> list[str]:
    """Files below `folder` with one of the words in any byte or name, inside of ZIPs too."""
    found = []
    for path in folder.rglob("*"):
        data = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
        if data[:2] == b"PK":  # stored, not compressed; bodies are base64url
            with verify_alone.opened(path) as files:
                data += b"".join(map(files.read, files.names))
        data = data.lower()
        wide = data.replace(b"\0", b"")
        found += [f"{path}: {one}" for one in words if one.encode() in data or one.encode() in wide]
    return found


def bodies(path: Path) -> bytes:
    """All bodies of an export's records."""
    with verify_alone.opened(path) as files:
        names = [name for name in files.names if name.startswith("records/")]
        lines = [json.loads(line) for name in names for line in files.read(name).splitlines()]
    out = BytesIO()
    for line in lines:
        out.write(verify_alone.bytes_of(line["body"], "body") + line["header"].encode())
    return out.getvalue().lower()


def test_an_erased_person_is_in_no_byte_of_the_folder_and_others_text_stays(
    tmp_path: Path,
) -> None:
    commands = a_site(tmp_path / "data")
    one, own = filled(commands)
    assert {line.rpartition(": ")[2] for line in holding(tmp_path)} == set(MARKERS)
    commands.told("person", "erase", NAME, "--with-text", "--yes", "--why", "Asked for it.")
    assert holding(tmp_path) == []
    assert commands.run("check").exit_code == 0, commands.run("check").output
    assert "redacted" in commands.run("check").stderr
    out = tmp_path / "out.zip"
    commands.told("export", str(out))
    assert holding(tmp_path) == [] and not any(word.encode() in bodies(out) for word in MARKERS)
    told = commands.told("verify", str(out))
    assert "Complete and unchanged" in told and "Asked for it." in told
    assert verify_alone.check(out).redactions
    texts = texts_of(commands.folder, one, own)
    assert texts == ["Ada wrote this.", ""]


def texts_of(folder: Path, *page_ids: str) -> list[str]:
    return asyncio.run(_texts_of(folder, *page_ids))


async def _texts_of(folder: Path, *page_ids: str) -> list[str]:
    store = await Store.open(folder)
    try:
        return [await store.read(lambda conn, one=one: page.text(conn, one)) for one in page_ids]
    finally:
        await store.close()


def test_an_export_with_redactions_comes_into_an_empty_site(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "data")
    one, own = filled(commands)
    commands.told("person", "erase", NAME, "--with-text", "--yes")
    commands.told("export", str(tmp_path / "out.zip"))
    there = Commands(tmp_path / "there")
    there.told("import", str(tmp_path / "out.zip"))
    assert texts_of(there.folder, one, own) == ["Ada wrote this.", ""]
    assert there.run("check").exit_code == 0


def test_words_are_taken_out_of_a_page_wherever_they_stood(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "data")
    one, own = filled(commands)
    shown = commands.told("page", "redact", own, "--words", TITLE.upper(), "--dry-run")
    assert TITLE in shown
    commands.told("page", "redact", own, "--words", TITLE, "--why", "A name.")
    commands.told("page", "redact", one, "--words", TEXT, "--why", "A name.")
    assert holding(tmp_path, (TITLE,)) == []
    assert (texts_of(commands.folder, one))[0].startswith("Ada  wrote this.")
    assert commands.run("check").exit_code == 0


def test_words_that_stand_nowhere_and_reasons_that_repeat_them_are_refused(
    tmp_path: Path,
) -> None:
    commands = a_site(tmp_path / "data")
    one, _ = filled(commands)
    refused = commands.refused("page", "redact", one, "--words", "never said", "--why", "x")
    assert "never said" in refused
    told = commands.refused("page", "redact", one, "--words", TEXT, "--why", f"the {TEXT}")
    assert "do not repeat" in told
    commands.refused("page", "redact", one, "--words", TEXT, code=2)


@pytest.mark.parametrize("again", [SAID, TEXT])
def test_a_second_redaction_of_the_same_records_still_verifies(tmp_path: Path, again: str) -> None:
    commands = a_site(tmp_path / "data")
    one, _ = filled(commands)
    commands.told("page", "redact", one, "--words", "Fine", "--why", "First.")
    commands.told("page", "redact", one, "--words", again, "--why", "Second.")
    commands.told("person", "erase", NAME, "--with-text", "--yes")
    assert commands.run("check").exit_code == 0, commands.run("check").output
    out = tmp_path / "out.zip"
    commands.told("export", str(out))
    assert "First." in commands.told("verify", str(out))
    assert holding(tmp_path, (again,)) == [] and again.encode() not in bodies(out)


def test_a_file_is_taken_out_with_its_name(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "data")
    one, _ = filled(commands)

    async def file_ids() -> list[str]:
        store = await Store.open(commands.folder)
        try:
            return await store.read(
                lambda conn: [file.id for file in attachment.of_page(conn, one)]
            )
        finally:
            await store.close()

    (file_id,) = asyncio.run(file_ids())
    assert (
        "there is no file"
        in commands.refused("page", "redact", one, "--file", "nothing", "--why", "x").lower()
    )
    commands.told("page", "redact", one, "--file", file_id, "--why", "Not ours.")
    assert holding(tmp_path, (EXIF,)) == [] and asyncio.run(file_ids()) == []
    assert commands.run("check", "--deep").exit_code == 0, commands.run("check", "--deep").output
