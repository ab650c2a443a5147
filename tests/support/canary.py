"""A space that only some may see, with one word all over it, and everybody who might knock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from tests.support.front import Browser, Front, a_front
from wiki import attachment, fact, history, label, links, naming, people, space, talk, versioning
from wiki.access import Openness, Role
from wiki.page import Page
from wiki.space import Space
from wiki.store.tables import journal, record

WORD = "zyxcanary"
PNG = b"\x89PNG\r\n\x1a\n and more"


@dataclass
class House:
    """`hidden` is for members only; `places` are the values of the parameters in addresses.

    No address that is made of them holds the word: the page goes by an old address."""

    front: Front
    hidden: Space
    page: Page
    places: dict[str, str]
    visitors: dict[str, Browser]

    async def entries(self) -> int:
        """How much has ever been written in the hidden space."""

        def read(conn: Connection) -> int:
            things = [self.hidden.id, self.page.id]
            sealed = select(func.count()).where(record.c.page.in_(things))
            waiting = select(func.count()).where(journal.c.page_id.in_(things))
            return (conn.scalar(sealed) or 0) + (conn.scalar(waiting) or 0)

        return await self.front.site.store.read(read)


# who may read the hidden space, and who may not
MAY_READ = ("reader", "steward", "admin", "token of a reader")
MAY_NOT = ("anonymous", "stranger", "guest", "token of a stranger", "read token of a stranger")


@asynccontextmanager
async def a_house(folder: Path) -> AsyncIterator[House]:
    async with a_front(folder) as front:
        members = {role: await front.person(f"{role.value}.one") for role in Role}
        hidden = await front.space(
            f"{WORD} space",
            Openness.MEMBERS,
            {person: role for role, person in members.items()},
            slug="secluded",
            purpose=f"For {WORD}s.",
        )
        world = await front.space("Open", Openness.WORLD, slug="open")
        page = await front.page(
            hidden,
            "Hidden page",
            f"# {WORD}\n\nPlankton, [[open/Public]].",
            tags=["plaintag", WORD],
        )
        moved = await front.page(world, "Moved away", f"Plankton of {WORD}.")
        await front.page(world, "Public", "See [[secluded/Hidden page]] and [[Moved away]].")
        guest = await front.person("guest-one", is_guest=True)
        ada = await front.ada_herself()
        prepared = attachment.accept(front.site.attachments, f"{WORD}.png", PNG)

        def fill(conn: Connection) -> tuple[str, str, str]:
            now_ms = front.site.now_ms()

            def act(thing_id: str, **fields: object) -> None:
                fact.act(conn, front.site.key, thing_id, ada.id, fields, now_ms)

            people.set_display(conn, members[Role.EDITOR].id, f"{WORD} Editor")
            space.set_member(conn, world.id, guest.id, Role.READER)
            act(page.id, name="rename", title=f"{WORD} title")
            act(page.id, **(told := talk.new_comment(f"Is {WORD} right?", None)))
            act(page.id, **talk.new_reply(told["id"], f"{WORD} is."))
            act(page.id, name="status", status=f"{WORD}", reason=f"For {WORD}.")
            act(page.id, name="vote", value=1)
            act(moved.id, name="move", space=hidden.id)
            act(moved.id, name="rename", title=f"{WORD} moved")
            naming.name_revision(conn, front.site.key, page.id, now_ms, ada.id, f"{WORD} label")
            told_of = {"person_id": ada.id, "now_ms": now_ms}
            moment, written = label.newest_text(conn, page.id), [(f"Of {WORD}.", ada.id)]
            own = versioning.make_version(
                conn, front.site.key, page, moment, space_id=hidden.id, title="Own version",
                written=written, **told_of,
            )  # fmt: skip
            offered = versioning.offer_changes(
                conn, front.site.key, own, f"For {WORD}s.", ada.id, now_ms
            )
            links.follow(conn)
            file = attachment.add(conn, prepared, page.id, ada.id, now_ms, 10**9)
            return file.id, str(told["id"]), offered.id

        file_id, comment_id, offer_id = await front.site.store.write(fill)
        await front.site.indexer.caught_up()
        born = await front.site.store.read(lambda conn: history.revisions(conn, page.id)[-1])
        yield House(
            front,
            hidden,
            page,
            {
                "space": "secluded",
                "slug": "hidden-page",
                "page_id": page.id,
                "thing_id": page.id,
                "space_id": hidden.id,
                "record_id": born.record_id,
                "revision": born.record_id,
                "moment": born.record_id,
                "person_id": members[Role.EDITOR].id,
                "attachment_id": file_id,
                "digest": prepared.digest,
                "comment": comment_id,
                "offer": offer_id,
                "name": "file-name",
                "export": "pages.json",
                "tag": "plaintag",
                "token": "made-up",
                "search_id": "made-up",
            },
            {
                "anonymous": front.browser(),
                "stranger": await front.as_person(stranger := await front.person("stranger")),
                "guest": await front.as_person(guest),
                "token of a stranger": await front.program(stranger),
                "read token of a stranger": await front.program(stranger, "read"),
                "reader": await front.as_person(members[Role.READER]),
                "editor": await front.as_person(members[Role.EDITOR]),
                "steward": await front.as_person(members[Role.STEWARD]),
                "admin": front.ada,
                "token of a reader": await front.program(members[Role.READER]),
            },
        )


async def knock(front: Front, path: str, browser: Browser) -> list[dict[str, object]]:
    """What a WebSocket at `path` is sent by a server that turns it away."""
    sent: list[dict[str, object]] = []
    request = browser.client.build_request("GET", path)

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "subprotocols": [],
    }
    await front.app(scope, receive, send)
    return sent
