"""A site on disk for our server to run on: people with tokens, and pages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from benchmarks.rig.corpus import Draft
from web import config, setup
from web.site import key_file_of
from wiki import page, people, signin, space
from wiki.access import Openness, Role
from wiki.key import SiteKey
from wiki.space import Space
from wiki.store import Store

NOW_MS = 1_790_000_000_000
PAGES_AT_ONCE = 500
IDEAS = "Ideas"


@dataclass
class FilledSite:
    """`tokens` and `cookies`: one for each person. `addresses`: path of each page, as drafted."""

    folder: Path
    tokens: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    page_ids: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)


async def filled(folder: Path, *, people_count: int, drafts: Iterable[Draft]) -> FilledSite:
    """Everybody may read the spaces, whoever is signed in may edit them."""
    site = FilledSite(folder)
    key = SiteKey.load_or_create(
        key_file_of(config.load(environment={}, given={"data.folder": str(folder)}))
    )
    store = await Store.open(folder)
    try:
        ids = await store.write(lambda conn: _begun(conn, site, people_count))
        spaces = {IDEAS: await store.write(lambda conn: _space(conn, key, IDEAS, ids))}

        def written(conn: Connection, some: Sequence[Draft]) -> None:
            for draft in some:
                if draft.space not in spaces:
                    spaces[draft.space] = _space(conn, key, draft.space, ids)
                at = spaces[draft.space]
                made = page.create(
                    conn,
                    key,
                    space_id=at.id,
                    title=draft.title,
                    kind=draft.kind,
                    tags=draft.tags,
                    text=draft.text,
                    person_id=ids[0],
                    now_ms=NOW_MS,
                )
                site.page_ids.append(made.id)
                site.addresses.append(f"/s/{at.slug}/{made.slug}")

        waiting: list[Draft] = []
        for draft in drafts:
            waiting.append(draft)
            if len(waiting) == PAGES_AT_ONCE:
                await store.write(lambda conn, some=tuple(waiting): written(conn, some))
                waiting.clear()
        await store.write(lambda conn: written(conn, waiting))
    finally:
        await store.close()
    return site


def blank(count: int) -> Iterable[Draft]:
    """Pages without text, to be typed in."""
    return (Draft(f"Page {number}", "idea", (), "", "") for number in range(count))


def _begun(conn: Connection, site: FilledSite, people_count: int) -> list[str]:
    """Ids of the people."""
    ids = []
    for number in range(people_count):
        name = f"person-{number}"
        made = people.create(conn, name=name, is_admin=number == 0, now_ms=NOW_MS)
        ids.append(made.id)
        site.tokens.append(signin.create_token(conn, made.id, "write", "benchmark", NOW_MS))
        now_ms = time.time_ns() // 1_000_000  # sign-ins end after a month
        site.cookies.append(signin.sign_in(conn, made.id, "benchmark", now_ms))
    setup.mark_done(conn)
    return ids


def _space(conn: Connection, key: SiteKey, title: str, ids: Sequence[str]) -> Space:
    made = space.create(
        conn,
        key,
        title=title,
        openness=Openness.WORLD,
        open_role=Role.READER,
        created_by=ids[0],
        now_ms=NOW_MS,
    )
    for person_id in ids[1:]:
        space.set_member(conn, made.id, person_id, Role.EDITOR)
    return made
