"""Several whole sites in one process, each with its own folder, talking through their applications.

async with federated(folder, "acme", "birch") as (acme, birch):
    await acme.connect(birch); page_id = await acme.share_page(birch)
    acme.network.cut("birch")          # nobody reaches it until `heal`
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from sqlalchemy import Connection

from sync.federation.fetch import Fetcher
from sync.presence import Who
from sync.rights import Claim
from sync.rooms import wall_clock_ms
from sync.seat import Seat
from tests.support.waiting import eventually
from web import config, setup
from web.app import app_of
from web.site import Site
from wiki import (
    attachment,
    check,
    deep,
    fact,
    grant,
    journal,
    log,
    page,
    people,
    signin,
    space,
    text,
)
from wiki.access import Openness, Role
from wiki.attachment import Attachment
from wiki.exchange import arrival, known_keys
from wiki.grant import Terms
from wiki.names import token_hash
from wiki.peer import PeerState, by_origin
from wiki.people import Person
from wiki.space import Space

T = TypeVar("T")


class Network(httpx2.AsyncBaseTransport):
    """By the name of the host, whatever address it was pinned to."""

    def __init__(self) -> None:
        self.apps: dict[str, Any] = {}
        self.gone: set[str] = set()
        self.closed: Callable[[str], bool] = lambda url: False  # addresses that nobody reaches
        self.hanging: set[str] = set()  # they take what comes, and never answer
        self.asked: list[str] = []  # "host /path", in order
        self.askers: list[str] = []  # of each how it is signed, which names who asks
        self.taped: list[bytes] | None = None  # all bytes of all requests and answers, from now on
        self.queries: list[str] = []  # addresses with a query

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.headers["host"].partition(".")[0]
        self.asked.append(f"{host} {request.url.path}")
        self.askers.append(request.headers.get("signature-input", ""))
        if request.url.query:
            self.queries.append(str(request.url))
        is_closed = self.closed(f"{host} {request.url.raw_path.decode()}")
        if host in self.gone or host not in self.apps or is_closed:
            raise httpx2.ConnectError("the network is cut")
        if host in self.hanging:
            await asyncio.Event().wait()
        answer = await httpx2.ASGITransport(self.apps[host]).handle_async_request(request)
        return answer if self.taped is None else await self._taped(request, answer, self.taped)

    async def _taped(
        self, request: httpx2.Request, answer: httpx2.Response, tape: list[bytes]
    ) -> httpx2.Response:
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        body = b"".join([piece async for piece in answer.stream])
        for told in (request, answer):
            tape.extend(b"%b: %b" % header for header in told.headers.raw)
        tape += [str(request.url).encode(), await request.aread(), body]
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=httpx2.ByteStream(body)
        )

    def cut(self, *names: str) -> None:
        self.gone |= set(names)

    def hang(self, *names: str) -> None:
        self.hanging |= set(names)

    def heal(self) -> None:
        self.gone.clear()
        self.hanging.clear()
        self.closed = lambda url: False


@dataclass
class Member:
    """One of them: its site, and somebody who works there."""

    name: str
    site: Site
    network: Network
    person: Person
    space: Space
    credential: str
    seats: list[Seat] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return self.site.key.origin

    @property
    def address(self) -> str:
        return self.site.config.url

    async def write(self, fn: Callable[[Connection], T]) -> T:
        return await self.site.store.write(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        return await self.site.store.read(fn)

    async def connect(self, other: Member) -> None:
        """As two stewards do it: each looks, compares, confirms."""
        await self.site.federation.confirm(await self.site.federation.look(other.address))
        await other.site.federation.confirm(await other.site.federation.look(self.address))
        for one, of in ((self, other), (other, self)):
            state = await one.read(lambda conn, of=of: by_origin(conn, of.origin).state)
            assert state is PeerState.CONNECTED

    async def share(self, *others: Member, role: Role = Role.EDITOR, **terms: Any) -> None:
        """The whole space."""
        for other in others:
            await self.write(
                lambda conn, to=other: grant.give(
                    conn, self.site.key, self.space.id, to.origin, Terms(role, **terms),
                    person_id=self.person.id, now_ms=wall_clock_ms(),
                )
            )  # fmt: skip
        self.site.federation.nudge()

    async def revoke(self, other: Member) -> None:
        await self.write(
            lambda conn: grant.revoke(
                conn, self.site.key, self.space.id, other.origin,
                person_id=self.person.id, now_ms=wall_clock_ms(),
            )
        )  # fmt: skip
        self.site.federation.nudge()

    async def page(self, title: str = "Idea", body: str = "Begin. ") -> str:
        made = await self.write(
            lambda conn: page.create(
                conn, self.site.key, space_id=self.space.id, title=title, text=body,
                person_id=self.person.id, now_ms=wall_clock_ms(),
            )
        )  # fmt: skip
        self.site.federation.nudge()
        return made.id

    async def attach(self, page_id: str, name: str, data: bytes) -> Attachment:
        """A file is added to the page, as an upload does it."""
        prepared = attachment.accept(self.site.attachments, name, data)

        def add(conn: Connection) -> Attachment:
            now_ms = wall_clock_ms()
            told = (prepared, page_id, self.person.id, now_ms, 2**30)
            made = attachment.add(conn, *told)
            fact.act(conn, self.site.key, page_id, self.person.id, arrival.told(made), now_ms)
            return made

        made = await self.write(add)
        self.site.federation.nudge()
        return made

    async def has(self, page_id: str) -> bool:
        return await self.read(lambda conn: page_id in page.several(conn, [page_id]))

    async def text(self, page_id: str) -> str:
        return await self.read(lambda conn: text.text_of_updates(journal.state(conn, page_id)))

    async def heads(self, page_id: str) -> dict[str, tuple[int, str]]:
        return await self.read(lambda conn: log.heads(conn, page_id))

    async def say(self, page_id: str, words: str) -> None:
        """Type at the beginning of the page, as somebody who has it open here."""

        def make(state: bytes, client: int) -> bytes:
            return text.replace_update(state, client, words + text.text_of_updates([state]))

        await self.site.rooms.submit(page_id, self.person.id, make, "")

    async def retype(self, page_id: str, wanted: str) -> None:
        """Make the page say `wanted`, as somebody who has it open here."""

        def make(state: bytes, client: int) -> bytes:
            return text.replace_update(state, client, wanted)

        await self.site.rooms.submit(page_id, self.person.id, make, "")

    async def act(self, page_id: str, name: str, **fields: Any) -> None:
        """What is not text: `fact.act`, as who works here."""
        told, now_ms = {"name": name, **fields}, wall_clock_ms()
        await self.write(
            lambda conn: fact.act(conn, self.site.key, page_id, self.person.id, told, now_ms)
        )
        self.site.federation.nudge()

    async def problems(self) -> list[Any]:
        """What `check --deep` finds."""

        def look(conn: Connection) -> list[Any]:
            keys = known_keys.known(conn, self.site.key)
            found: list[Any] = check.check(conn, keys, self.site.attachments).problems
            with conn.begin_nested() as aside:
                found += deep.look(conn)
                aside.rollback()
            return found

        return await self.write(look)

    async def sit(self, page_id: str) -> Seat:
        """Open the page and leave it open."""
        who = Who(self.person.id, self.person.display, self.person.colour)
        claim = Claim(page_id, self.person.id, self.credential, None)
        seat = await self.site.rooms.join(claim, who, wants_acks=False)
        self.seats.append(seat)
        return seat

    async def seal(self, page_id: str) -> None:
        await self.site.rooms.seal_now(page_id)
        self.site.federation.nudge()


async def settled(*members: Member, page_id: str) -> None:
    """Until all have the same of a page."""

    async def are_same() -> bool:
        found = [(await one.text(page_id), await one.heads(page_id)) for one in members]
        return all(one == found[0] for one in found)

    await eventually(are_same, seconds=20)


@asynccontextmanager
async def federated(
    folder: Path,
    *names: str,
    cut: Sequence[str] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[tuple[Member, ...]]:
    """`cut`: whom nobody reaches from the beginning; `settings`: of some, besides the usual."""
    network = Network()
    network.cut(*cut)
    async with AsyncExitStack() as stack:
        members = []
        for name in names:
            given = {
                "data.folder": str(folder / name),
                "server.url": f"http://{name}.test",
                "federation.loopback": True,
                "record.quiet_seconds": 1,
                **(settings or {}).get(name, {}),
            }
            fetcher = Fetcher(
                allows_loopback=True, transport=network, resolve=lambda host, port: ["127.0.0.1"]
            )
            loaded = config.load(environment={}, given=given)
            site = await stack.enter_async_context(Site.open(loaded, lambda: None, fetcher))
            network.apps[name] = app_of(site)
            members.append(await _peopled(name, site, network))
        yield tuple(members)
        assert [one.site.died for one in members] == [[] for _ in members]


async def _peopled(name: str, site: Site, network: Network) -> Member:
    def found(conn: Connection) -> tuple[Person, Space, str]:
        now_ms = wall_clock_ms()
        setup.rename_site(conn, name.title())
        known = people.by_name(conn, f"ada-{name}")
        one = known or people.create(
            conn, name=f"ada-{name}", display=f"Ada of {name}", is_admin=True, now_ms=now_ms
        )
        if known is not None:
            (ideas, *_) = space.every(conn)
            return one, ideas, token_hash(signin.sign_in(conn, one.id, "", now_ms))
        ideas = space.create(
            conn, site.key, title=f"{name} ideas", openness=Openness.SIGNED_IN,
            created_by=one.id, now_ms=now_ms,
        )  # fmt: skip
        return one, ideas, token_hash(signin.sign_in(conn, one.id, "", now_ms))

    person, ideas, credential = await site.store.write(found)
    return Member(name, site, network, person, ideas, credential)
