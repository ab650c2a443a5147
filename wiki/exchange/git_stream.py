"""A space's history as `git fast-import` reads it: the commits that a clone of it has, one by one;
and a tag `<page>/<name>` for each revision that has a name.

groundswell export --format git-stream --space ideas - | git fast-import
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from wiki import label, log
from wiki.exchange import reading
from wiki.exchange.git_commits import Change, Commit, Telling
from wiki.exchange.git_objects import Ident
from wiki.exchange.git_writer import ident_of
from wiki.exchange.pieces import Making
from wiki.names import slugify
from wiki.store.tables import page as pages

BATCH = 50


def making(space_id: str, branch: str, origin: str, attachments: Path) -> Making:
    """Pieces of some commits each, and one that ends the branch."""
    conn = yield b""
    telling = Telling(space_id, attachments, {})
    redacted_until, after = log.last_position(conn), 0
    idents: dict[str, Ident] = {}
    tags = _tags(conn, space_id)
    named, told = set(tags.values()), set[int]()
    conn = yield f"reset refs/heads/{branch}\n".encode()
    while records := telling.records(conn, after, BATCH):
        out = []
        for commit in telling.commits(conn, records, redacted_until):
            if commit.person_id not in idents:
                idents[commit.person_id] = ident_of(conn, commit.person_id, origin)
            told |= {commit.position} & named
            mark = commit.position if commit.position in named else None  # the last of its record's
            out.append(_commit(commit, branch, idents[commit.person_id], mark))
        after = records[-1].position or 0
        conn = yield b"".join(out)
    there = (f"reset refs/tags/{tag}\nfrom :{at}\n" for tag, at in tags.items() if at in told)
    yield "".join(there).encode() + b"\n"


def _tags(conn: Connection, space_id: str) -> dict[str, int]:
    """Tag -> position of the record. Moments inside of records are none: they have no commit."""
    found: dict[str, int] = {}
    query = select(pages.c.id, pages.c.slug).where(pages.c.space_id == space_id)
    for page_id, slug in conn.execute(query.order_by(pages.c.slug)):
        for one in label.of_page(conn, page_id)[::-1]:
            tag, number = (wanted := f"{reading.file_name(slug, page_id)}/{slugify(one.label)}"), 1
            while tag in found:
                tag, number = f"{wanted}-{number + 1}", number + 1
            if label.place(one.moment)[1] == 0:
                found[tag] = one.position
    return found


def _commit(commit: Commit, branch: str, ident: Ident, mark: int | None) -> bytes:
    who = ident.at(commit.at_ms // 1000)
    marked = f"mark :{mark}\n" if mark is not None else ""
    head = f"commit refs/heads/{branch}\n{marked}author {who}\ncommitter {who}\n"
    return head.encode() + _data(commit.message.encode()) + b"".join(map(_change, commit.changes))


def _change(change: Change) -> bytes:
    if change.data is None:
        return f"R {_quoted(change.path)} {_quoted(change.to)}\n".encode()
    return f"M 100644 inline {_quoted(change.path)}\n".encode() + _data(change.data)


def _data(data: bytes) -> bytes:
    return b"data %d\n" % len(data) + data + b"\n"


def _quoted(path: str) -> str:
    """As git quotes what a C program would."""
    inside = path.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{inside}"'
