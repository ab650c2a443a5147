"""A wiki with some of everything in it, and its export."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection

from tests.support.wikis import START_MS, Wiki, a_wiki
from wiki import attachment, fact, links, page, people, space
from wiki.access import Openness, Role
from wiki.exchange.archive import Archive
from wiki.exchange.export import export_zip, line_of, seal_all
from wiki.exchange.verify_alone import MANIFEST_SIGNED_AS, Report, base64url, canonical
from wiki.key import SiteKey
from wiki.record import Record

PICTURE = b"\x89PNG\r\n\x1a\n and what belongs to it"


@asynccontextmanager
async def a_full_wiki(folder: Path) -> AsyncIterator[Wiki]:
    """Two spaces, five pages: renamed, tagged, moved, archived, with a picture."""
    async with a_wiki(folder) as wiki:
        first = await wiki.page("Größere Idee", "See [[First title|the second]].")
        second = await wiki.page("First title", "Old 🎈 text.")
        formula = await wiki.page("=1+1", "A sum.")
        prepared = attachment.accept(folder / "attachments", "a.png", PICTURE)

        def fill(conn: Connection) -> None:
            _fill(conn, wiki, (first.id, second.id, formula.id), prepared)

        await wiki.store.write(fill)
        wiki.now_ms += 60_000
        await wiki.type(second.id, wiki.eve, "New 🎈🎈 text by eve.")
        await wiki.type(second.id, wiki.ada, "New 🎈🎈 text by eve, and ada.", via="api")
        await wiki.store.write(links.follow)
        yield wiki


def _fill(
    conn: Connection, wiki: Wiki, ids: tuple[str, str, str], prepared: attachment.Prepared
) -> None:
    first, second, formula = ids
    wiki.now_ms += 1000

    def act(thing_id: str, **fields: object) -> None:
        fact.act(conn, wiki.key, thing_id, wiki.ada.id, fields, wiki.now_ms)

    bob = people.create(conn, name="bob", display="Bob", now_ms=START_MS)
    closed = space.create(
        conn,
        wiki.key,
        title="Closed",
        purpose="Only for members.",
        openness=Openness.MEMBERS,
        created_by=bob.id,
        now_ms=wiki.now_ms,
    )
    common = {"space_id": closed.id, "person_id": bob.id, "now_ms": wiki.now_ms}
    moved = page.create(conn, wiki.key, title="Moved", text="Out of the closet.", **common)
    page.create(conn, wiki.key, title="Stays", text="Only for members", **common)
    act(moved.id, name="rename", title="Moved and renamed")
    act(moved.id, name="move", space=wiki.space.id)
    act(second, name="rename", title="Second title")
    act(second, name="tags", tags=["one", "two"])
    act(second, name="status", status="accepted", reason="It is good.")
    act(formula, name="archive")
    act(wiki.space.id, name="member", person=wiki.eve.id, role=Role.READER.value)
    act(wiki.space.id, name="settings", purpose="All of it.")
    made = attachment.add(conn, prepared, first, wiki.ada.id, wiki.now_ms, 10**9)
    told = {"id": made.id, "digest": made.digest, "file": made.name}
    act(first, name="attach", media_type=made.media_type, size=made.size_bytes, **told)
    shown = f"See [[First title|the second]], [[Nowhere]]. ![]( /files/{made.id}/a.png )\n<script>"
    wiki.write(conn, first, wiki.eve, shown)


async def export(
    wiki: Wiki, out: Path, space_ids: Collection[str] | None = None, *, is_sealed: bool = True
) -> Report:
    """Into `out`; attachments are beside the store."""
    if is_sealed:
        await wiki.store.write(lambda conn: seal_all(conn, wiki.key, wiki.now_ms))
    folder = Path(str(out)).parent / "site" / "attachments"
    return await wiki.store.read(
        lambda conn: export_zip(
            conn,
            wiki.key,
            folder,
            out,
            space_ids=space_ids,
            site_name="Test",
            now_ms=wiki.now_ms,
        )
    )


@dataclass
class Taken:
    """The bytes of a small wiki's export, its files, and the key that signed them."""

    whole: bytes
    files: dict[str, bytes]
    key: SiteKey


@lru_cache(maxsize=1)
def taken() -> Taken:
    """Made once for all tests of a run."""

    async def make(folder: Path) -> Taken:
        async with a_full_wiki(folder / "site") as wiki:
            await export(wiki, folder / "out.zip")
            with zipfile.ZipFile(folder / "out.zip") as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
            return Taken((folder / "out.zip").read_bytes(), files, wiki.key)

    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        # a thread has a loop of its own, wherever this is called
        return pool.submit(asyncio.run, make(Path(folder))).result()


def extended(made: Taken, record: Record, public: bytes | None = None) -> bytes:
    """The export with one more record, of another chain if its key is given."""
    name = f"records/{record.page}.jsonl"
    count = sum(len(data.splitlines()) for n, data in made.files.items() if n.startswith("records"))
    line = line_of(record, count + 1) + "\n"

    def change(manifest: dict[str, Any]) -> None:
        manifest["heads"][record.page][record.chain] = [record.seq, record.id]
        if public is not None:
            manifest["keys"][record.chain] = {record.kid: base64url(public)}

    return resealed({**made.files, name: made.files[name] + line.encode()}, made.key, change)


def packed(files: Mapping[str, bytes]) -> bytes:
    """The files as the ZIP that an export would make of them."""
    out = io.BytesIO()
    archive = Archive(out)
    for name, data in files.items():
        archive.add(name, data)
    archive.finish()
    return out.getvalue()


def resealed(
    files: Mapping[str, bytes], key: SiteKey, change: Callable[[dict[str, Any]], None] | None = None
) -> bytes:
    """`files` as a ZIP whose manifest lists them as they are, changed by `change`, signed anew."""
    manifest = json.loads(files["manifest.json"])
    rest = {name: data for name, data in files.items() if not name.startswith("manifest.")}
    manifest["files"] = {
        name: [len(data), hashlib.sha256(data).hexdigest()] for name, data in rest.items()
    }
    if change:
        change(manifest)
    signed = canonical(manifest).encode()
    signature = base64url(key.sign(MANIFEST_SIGNED_AS + signed)) + "\n"
    return packed({**rest, "manifest.json": signed, "manifest.sig": signature.encode()})
