"""What came in, as people see it: texts, who wrote which line, revisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from tests.support.command_line import Commands
from web import config
from web.cli import folder
from wiki import history, page, people, space
from wiki.history import Revision

T = TypeVar("T")


def look(commands: Commands, slug: str, fn: Callable[[Connection, str], T], where: str) -> T:
    def read(conn: Connection) -> T:
        one, _ = page.resolve(conn, space.by_slug(conn, where).id, slug)
        return fn(conn, one.id)

    given = {"data.folder": str(commands.folder)}
    return folder.read(config.load(environment={}, given=given), read)


def text_of(commands: Commands, slug: str, where: str = "notes") -> str:
    return look(commands, slug, page.text, where)


def page_of(commands: Commands, slug: str, where: str = "notes") -> page.Page:
    return look(commands, slug, page.by_id, where)


def revisions_of(commands: Commands, slug: str, where: str = "notes") -> list[Revision]:
    """Oldest first."""
    return look(commands, slug, history.revisions, where)[::-1]


def pieces_of(commands: Commands, slug: str, where: str = "notes") -> list[tuple[str, str]]:
    """The text in pieces, with who wrote each."""

    def read(conn: Connection, page_id: str) -> list[tuple[str, str]]:
        spans = history.blame(conn, page_id)
        names = people.names(conn, {span.person_id for span in spans})
        return [(span.text, names[span.person_id]) for span in spans]

    return look(commands, slug, read, where)


def blamed(commands: Commands, slug: str, where: str = "notes") -> list[tuple[str, str]]:
    """Each line that the page has now, with who ended it."""
    lines, line = [], ""
    for text, name in pieces_of(commands, slug, where):
        for char in text:
            if char == "\n":
                lines.append((line, name))
            line = "" if char == "\n" else line + char
    return lines
