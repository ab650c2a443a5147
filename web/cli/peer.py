"""`groundswell peer`: other sites, and what is shared with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import click
from sqlalchemy import Connection

from sync.federation import standing
from sync.federation.federation import Federation
from sync.federation.fetch import Fetcher
from sync.federation.introduction import Profile
from sync.federation.standing import Standing
from sync.rooms import Rooms
from web.cli import who
from web.cli.folder import at_work, key_of, now_ms, read, with_config, write, write_signed
from web.cli.telling import counted, give, give_table, say
from web.config import Config
from web.site import alone_in, files_of, introduced, key_file_of, own_key
from wiki import errand, grant, listing, log, page, restoring, space
from wiki import peer as peers
from wiki.access import Role
from wiki.errors import BadInput, Conflict, Misconfigured, NotFound
from wiki.grant import Terms
from wiki.key import SiteKey
from wiki.peer import Peer
from wiki.store import Store

ASK_SECONDS = 0.3
TITLES_TOLD = 20
T = TypeVar("T")


@click.group()
def peer() -> None:
    """Other sites: connect, share, look how it stands."""


@peer.command()
@click.argument("address", required=False)
@with_config
def look(config: Config, address: str | None) -> None:
    """What the site at ADDRESS says of itself, or without one: what this site does, with the
    fingerprint to read out. Nothing is changed."""

    async def work(federation: Federation) -> Profile:
        if address is None:
            return await federation.introduction.profile()
        return await federation.look(address)

    found = _at_work(config, work)
    give_table(
        ("name", "address", "contact", "id", "fingerprint"),
        [(found.name, found.address, found.contact, found.origin, found.fingerprint)],
    )


@peer.command()
@click.argument("address")
@click.option("--fingerprint", help="As their steward reads it out; else you are asked to compare.")
@with_config
def connect(config: Config, address: str, fingerprint: str | None) -> None:
    """Connect with the site at ADDRESS, or confirm that it may; both sides have to."""

    async def work(federation: Federation) -> str:
        return (await federation.confirm(await _compared(federation, address, fingerprint))).state

    give(_at_work(config, work))


@peer.command("list")
@with_config
def list_peers(config: Config) -> None:
    """All of them, and how it stands."""
    now = now_ms()

    def found(conn: Connection) -> list[Standing]:
        return [standing.of(conn, one.origin, now) for one in peers.every(conn)]

    give_table(
        ("name", "state", "address", "last contact", "behind", "refused", "id"),
        [
            (
                one.peer.name,
                one.peer.state,
                one.peer.address,
                standing.ago(one.peer.contact_at_ms, now),
                str(one.behind),
                str(len(one.refusals)),
                one.peer.origin,
            )
            for one in read(config, found)
        ],
    )


@peer.command()
@click.argument("name")
@with_config
def show(config: Config, name: str) -> None:
    """How it stands with NAME (its name, id or address), in words; what was refused, and why."""
    now = now_ms()
    own = key_of(config).origin
    one = read(config, lambda conn: standing.of(conn, peers.find(conn, name).origin, now, own))
    for sentence in one.words(now):
        give(sentence)
    for refusal in one.refusals:
        at = datetime.fromtimestamp(refusal.at_ms / 1000, UTC)
        give(f"Refused {at:%Y-%m-%d %H:%M} ({refusal.reason}): {refusal.why}.")


@peer.command()
@click.argument("name")
@click.option("--block", is_flag=True, help="They may not ask again.")
@with_config
def leave(config: Config, name: str, block: bool) -> None:
    """End the connection with NAME; what both hold stays."""

    async def work(federation: Federation, store: Store) -> None:
        gone = await store.read(lambda conn: peers.find(conn, name))
        await federation.leave(gone.origin, blocks=block)

    _at_work_with_store(config, work)
    say("Nothing goes there or comes from there any more. What they hold, they hold.")


@peer.command()
@click.argument("name")
@with_config
def pull(config: Config, name: str) -> None:
    """Fetch all that NAME has and this site lacks, its own records first of all.

    Where a server is running on the folder, it does it."""
    one = read(config, lambda conn: peers.find(conn, name))
    try:
        with alone_in(config.folder):
            count, files = _at_work(config, lambda federation: _pulled(federation, one.origin))
            say(f"{counted(count, 'record')} and {counted(files, 'file')} fetched.")
    except Misconfigured:  # a server has the folder
        count = _asked_of_the_server(config, one)
        say(f"{counted(count, 'record')} fetched; files are on their way.")


@peer.command()
@click.argument("address")
@click.option("--fingerprint", help="As their steward reads it out; else you are asked to compare.")
@with_config
def rebuild(config: Config, address: str, fingerprint: str | None) -> None:
    """After a fire: make this site again from what the peer at ADDRESS holds of it.

    The data folder holds the site's key and nothing else; the server is not running."""
    if not key_file_of(config).is_file():
        raise Misconfigured("data.folder", f"put site.key into {config.folder} first")

    async def work(federation: Federation, store: Store) -> tuple[int, int]:
        if await store.read(log.last_position):
            raise Conflict("This site has records already. Use: groundswell peer pull NAME")
        found = await _compared(federation, address, fingerprint)
        state, now = peers.PeerState.CONNECTED, now_ms()
        await store.write(lambda conn: peers.keep(conn, **found.fields, state=state, now_ms=now))
        return await _pulled(federation, found.origin)

    with alone_in(config.folder):
        count, files = _at_work_with_store(config, work, may_begin=True)
    say(f"{counted(count, 'record')} and {counted(files, 'file')} are back.")


@peer.command("go-on")
@with_config
def go_on(config: Config) -> None:
    """After a restore: sign new records, though not every peer could be asked for ours.

    A peer that holds records of this site which are not here will not believe the new ones."""
    left = read(config, restoring.left)
    write(config, restoring.go_on)
    say(f"{counted(len(left), 'site')} left unasked." if left else "Nobody was left to be asked.")


@peer.command()
@click.argument("thing", metavar="SPACE[/PAGE]")
@click.argument("name")
@click.option("--role", type=click.Choice([one.value for one in grant.ROLES]), default="editor")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day, UTC.")
@click.option("--without-history", is_flag=True, help="What was before does not go there.")
@click.option("--may-share-on", is_flag=True, help="They may pass the page on to others.")
@click.option("--pseudonyms", is_flag=True, help="People go there without their names.")
@click.option("--by", metavar="PERSON", help="Who shares; else the first administrator.")
@with_config
def share(
    config: Config,
    thing: str,
    name: str,
    role: str,
    until: datetime | None,
    without_history: bool,
    may_share_on: bool,
    pseudonyms: bool,
    by: str | None,
) -> None:
    """Share a space, or one page of it, with the site NAME."""
    until_ms = int(until.replace(tzinfo=UTC).timestamp() * 1000) + 86_400_000 if until else None
    terms = Terms(
        Role(role),
        until_ms,
        with_history=not without_history,
        with_names=not pseudonyms,
        may_share_on=may_share_on,
    )

    def give_it(conn: Connection, key: SiteKey) -> str:
        thing_id, titles = _thing(conn, thing)
        one = peers.find(conn, name)
        by_id = who.named_or_first_admin(conn, by).id
        grant.give(conn, key, thing_id, one.origin, terms, person_id=by_id, now_ms=now_ms())
        return _told(one.name, titles)

    say(write_signed(config, give_it))


@peer.command()
@click.argument("thing", metavar="SPACE[/PAGE]")
@click.argument("name")
@click.option("--by", metavar="PERSON", help="Who takes it back; else the first administrator.")
@with_config
def revoke(config: Config, thing: str, name: str, by: str | None) -> None:
    """Stop sharing a space or page with the site NAME, both ways, at once."""

    def take_back(conn: Connection, key: SiteKey) -> str:
        thing_id, titles = _thing(conn, thing)
        one = peers.find(conn, name)
        if not any(each.origin == one.origin for each in grant.shares(conn, thing_id)):
            raise NotFound("share with", one.name)
        by_id = who.named_or_first_admin(conn, by).id
        grant.revoke(conn, key, thing_id, one.origin, person_id=by_id, now_ms=now_ms())
        return f"{one.name} keeps what it has of {counted(len(titles), 'page')}, and gets no more."

    say(write_signed(config, take_back))


@peer.command()
@click.argument("name")
@with_config
def shares(config: Config, name: str) -> None:
    """What is, or was, shared with the site NAME."""

    def found(conn: Connection) -> list[tuple[str, ...]]:
        one, now = peers.find(conn, name), now_ms()
        return [
            (
                _title(conn, each.thing_id),
                each.terms.role.value,
                "open" if each.is_open(now) else "over",
                "names" if each.terms.with_names else "pseudonyms",
                "with history" if each.terms.with_history else "from then on",
                each.thing_id,
            )
            for each in grant.with_site(conn, one.origin)
        ]

    give_table(("what", "role", "state", "people", "past", "id"), read(config, found))


async def _compared(federation: Federation, address: str, fingerprint: str | None) -> Profile:
    """The site there, once its fingerprint is known to be right."""
    found = await federation.look(address)
    if fingerprint is None:
        say(f"{found.name} at {found.address} has the fingerprint\n\n  {found.fingerprint}\n")
        click.confirm("Is it the one that their steward reads out?", abort=True, err=True)
    elif "".join(fingerprint.split()) != "".join(found.fingerprint.split()):
        raise BadInput("fingerprint", f"the site there has another one: {found.fingerprint}")
    return found


async def _pulled(federation: Federation, origin: str) -> tuple[int, int]:
    """How many records and files came."""
    return await federation.pull(origin), await federation.pull_files(origin)


def _asked_of_the_server(config: Config, one: Peer) -> int:
    async def work(store: Store) -> int:
        await store.write(lambda conn: errand.want_pull(conn, one.origin))
        told = None
        while told is None:
            await asyncio.sleep(ASK_SECONDS)
            told = await store.read(lambda conn: errand.answer(conn, one.origin))
        await store.write(lambda conn: errand.forget_pull(conn, one.origin))
        count, trouble = told
        if trouble:
            raise Conflict(trouble)
        return count

    return at_work(config, work)


def _thing(conn: Connection, name: str) -> tuple[str, list[str]]:
    """The id of a space or page, and the titles of the pages that it means. Raises NotFound."""
    slug, _, rest = name.strip("/").partition("/")
    where = space.by_slug(conn, slug)
    if rest:
        found, _ = page.resolve(conn, where.id, rest)
        return found.id, [found.title]
    titles = [one.title for one in listing.list_in(conn, where.id, order="title", limit=100_000)]
    return where.id, titles


def _told(name: str, titles: list[str]) -> str:
    """What the site of that name gets, as a sentence."""
    if not titles:
        return f"{name} gets every page of it: none yet, and each new one as soon as it is there."
    shown, more = ", ".join(titles[:TITLES_TOLD]), len(titles) - TITLES_TOLD
    return f"{name} gets {counted(len(titles), 'page')}: {shown}{f', and {more} more' * (more > 0)}"


def _title(conn: Connection, thing_id: str) -> str:
    if found := page.several(conn, [thing_id]).get(thing_id):
        return found.title
    return space.by_id(conn, thing_id).title


def _at_work(config: Config, work: Callable[[Federation], Awaitable[T]]) -> T:
    return _at_work_with_store(config, lambda federation, store: work(federation))


def _at_work_with_store(
    config: Config, work: Callable[[Federation, Store], Awaitable[T]], *, may_begin: bool = False
) -> T:
    """With a connection of its own to the world; a running server finds what it did."""

    async def run(store: Store) -> T:
        key = await own_key(store, config)
        fetcher = Fetcher(allows_loopback=config.federation_loopback)
        me = partial(introduced, store, config)
        told = store, key, Rooms(store, key), fetcher, me
        federation = Federation(
            *told,
            files=files_of(config),
            clock_ms=now_ms,
            carries_out=config.federation_redactions,
        )
        try:
            return await work(federation, store)
        finally:
            await fetcher.close()

    return at_work(config, run, may_begin=may_begin)
