"""A site on disk for our server to run on: people with tokens, and pages."""

from __future__ import annotations

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
from wiki.store import Store

NOW_MS = 1_790_000_000_000
PAGES_AT_ONCE = 500


@dataclass
class FilledSite:
    """`tokens` and `cookies`: one for each person. `addresses`: path of each page, as drafted."""

    folder: Path
    tokens: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    page_ids: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)


async def filled(folder: Path, *, people_count: int, drafts: Iterable[Draft]) -> FilledSite:
    """Everybody may read the space, whoever is signed in may edit it."""
    site = FilledSite(folder)
    key = SiteKey.load_or_create(
        key_file_of(config.load(environment={}, given={"data.folder": str(folder)}))
    )
    store = await Store.open(folder)
    try:
        person_id, space_id = await store.write(lambda conn: _begun(conn, key, site, people_count))

        def written(conn: Connection, some: Sequence[Draft]) -> None:
            for draft in some:
                made = page.create(
                    conn,
                    key,
                    space_id=space_id,
                    title=draft.title,
                    kind=draft.kind,
                    tags=draft.tags,
                    text=draft.text,
                    person_id=person_id,
                    now_ms=NOW_MS,
                )
                site.page_ids.append(made.id)
                site.addresses.append(f"/s/ideas/{made.slug}")

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


def _begun(conn: Connection, key: SiteKey, site: FilledSite, people_count: int) -> tuple[str, str]:
    ids = []
    for number in range(people_count):
        name = f"person-{number}"
        made = people.create(conn, name=name, is_admin=number == 0, now_ms=NOW_MS)
        ids.append(made.id)
        site.tokens.append(signin.create_token(conn, made.id, "write", "benchmark", NOW_MS))
        site.cookies.append(signin.sign_in(conn, made.id, "benchmark", NOW_MS))
    setup.mark_done(conn)
    ideas = space.create(
        conn,
        key,
        title="Ideas",
        openness=Openness.WORLD,
        open_role=Role.READER,
        created_by=ids[0],
        now_ms=NOW_MS,
    )
    for person_id in ids[1:]:
        space.set_member(conn, ideas.id, person_id, Role.EDITOR)
    return ids[0], ideas.id
