"""How much of each page is whose, as a follower of the record keeps it."""

from __future__ import annotations

from pathlib import Path

from tests.support.wikis import Wiki, a_wiki
from wiki import contribution, fact, seal
from wiki.loom import Loom


async def followed(wiki: Wiki, loom: Loom) -> None:
    while True:
        found = await wiki.store.read(lambda conn: contribution.found(conn, loom, limit=2))
        await wiki.store.write(lambda conn, found=found: contribution.keep(conn, found))
        if not found.is_more:
            break
    assert not await wiki.store.read(contribution.is_behind)


async def test_shares_follow_the_sealed_text(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        loom, made = Loom(), await wiki.page("P", "Ada.")

        async def shares() -> list[tuple[str, int]]:
            await followed(wiki, loom)
            return await wiki.store.read(lambda conn: contribution.of_page(conn, made.id))

        assert await shares() == [(wiki.ada.id, 4)]
        await wiki.type(made.id, wiki.eve, "Ada. Eve 😀!")
        assert await shares() == [(wiki.ada.id, 4)]  # not sealed yet
        await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
        assert await shares() == [(wiki.eve.id, 8), (wiki.ada.id, 4)]
        await wiki.type(made.id, wiki.ada, " Eve 😀!")
        await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
        assert await shares() == [(wiki.eve.id, 8)]


async def test_a_persons_pages_are_those_of_the_given_spaces_most_of_them_first(
    tmp_path: Path,
) -> None:
    async with a_wiki(tmp_path) as wiki:
        pages = [await wiki.page(f"P{n}", "word " * n) for n in (1, 3, 2, 5)]
        gone = {"name": "archive"}
        await wiki.store.write(
            lambda conn: fact.act(conn, wiki.key, pages[3].id, wiki.ada.id, gone, wiki.now_ms)
        )
        await followed(wiki, Loom())

        async def of(spaces: list[str], limit: int = 9, offset: int = 0) -> list[str]:
            found = await wiki.store.read(
                lambda conn: contribution.of_person(conn, wiki.ada.id, spaces, limit, offset)
            )
            assert all(one.percent == 100 for one in found)
            return [one.page_id for one in found]

        wanted = [pages[at].id for at in (1, 2, 0)]
        assert await of([wiki.space.id]) == wanted
        assert await of([wiki.space.id], 1, 1) == wanted[1:2]
        assert await of(["another"]) == await of([]) == []
