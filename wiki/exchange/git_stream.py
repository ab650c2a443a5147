"""A space's history as `git fast-import` reads it: the commits that a clone of it has, one by one.

groundswell export --format git-stream --space ideas - | git fast-import
"""

from __future__ import annotations

from pathlib import Path

from wiki import log
from wiki.exchange.git_commits import Change, Commit, Telling
from wiki.exchange.git_objects import Ident
from wiki.exchange.git_repository import ident_of
from wiki.exchange.pieces import Making

BATCH = 50


def making(space_id: str, branch: str, origin: str, attachments: Path) -> Making:
    """Pieces of some commits each, and one that ends the branch."""
    conn = yield b""
    telling = Telling(space_id, attachments, {})
    redacted_until, after = log.last_position(conn), 0
    idents: dict[str, Ident] = {}
    conn = yield f"reset refs/heads/{branch}\n".encode()
    while records := telling.records(conn, after, BATCH):
        out = []
        for commit in telling.commits(conn, records, redacted_until):
            if commit.person_id not in idents:
                idents[commit.person_id] = ident_of(conn, commit.person_id, origin)
            out.append(_commit(commit, branch, idents[commit.person_id]))
        after = records[-1].position or 0
        conn = yield b"".join(out)
    yield b"\n"


def _commit(commit: Commit, branch: str, ident: Ident) -> bytes:
    who = ident.at(commit.at_ms // 1000)
    head = f"commit refs/heads/{branch}\nauthor {who}\ncommitter {who}\n"
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
