"""What would leave with a grant: told before anything does."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, Select, func, select

from wiki import audience, people
from wiki.store.tables import attachment, comment, contribution, record
from wiki.store.tables import page as pages

SHOWN = 200  # pages and files by name


@dataclass(frozen=True, slots=True)
class Preview:
    """`people`: ids of those of ours who wrote or said something there, with their names."""

    page_count: int
    titles: list[str]
    file_count: int
    files: list[str]
    people: dict[str, str]
    comment_count: int
    record_count: int

    @property
    def token(self) -> str:
        """What is agreed to; another one once it has changed."""
        told = (self.page_count, self.file_count, len(self.people), self.comment_count)
        return "-".join(map(str, told))


def of(conn: Connection, thing_id: str) -> Preview:
    """Of a page, or of all pages of a space, archived ones too: whoever has the space has them."""
    here = audience.inside(thing_id)
    titles = select(pages.c.title).where(pages.c.id.in_(here)).order_by(pages.c.title)
    files = select(attachment.c.name).where(attachment.c.page_id.in_(here))
    named = list(conn.scalars(files.order_by(attachment.c.name).limit(SHOWN)))
    return Preview(
        _count(conn, pages.c.id, here),
        list(conn.scalars(titles.limit(SHOWN))),
        _count(conn, attachment.c.page_id, here),
        named,
        _people(conn, here),
        _count(conn, comment.c.page_id, here),
        _count(conn, record.c.page, here),
    )


def _count(conn: Connection, column: Column[str], here: Select[tuple[str]]) -> int:
    return conn.scalar(select(func.count()).where(column.in_(here))) or 0


def _people(conn: Connection, here: Select[tuple[str]]) -> dict[str, str]:
    found: set[str] = set()
    for table in (contribution, comment):
        found |= set(conn.scalars(select(table.c.person_id).where(table.c.page_id.in_(here))))
    for column in (pages.c.created_by, pages.c.modified_by):
        found |= set(conn.scalars(select(column).where(pages.c.id.in_(here))))
    names = people.names(conn, {one for one in found if one and not people.origin_of(one)})
    return dict(sorted(names.items(), key=lambda item: item[1].casefold()))
