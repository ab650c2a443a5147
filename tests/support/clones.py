"""A space's repository as the server keeps it, and clones of it."""

from __future__ import annotations

from pathlib import Path

from tests.support.git import git
from tests.support.wikis import Wiki
from wiki.exchange.export import seal_all
from wiki.exchange.git_repository import Repository


def repository(wiki: Wiki, folder: Path, space_id: str = "") -> Repository:
    attachments = folder / "site" / "attachments"
    return Repository(folder / "cache", space_id or wiki.space.id, wiki.key.origin, attachments)


async def followed(wiki: Wiki, there: Repository, limit: int = 1000) -> bytes:
    """The newest commit, once everything is sealed and told."""
    await wiki.store.write(lambda conn: seal_all(conn, wiki.key, wiki.now_ms))
    while await wiki.store.read(lambda conn: there.follow(conn, limit)):
        pass
    return there.head()


def unpacked(there: Repository, folder: Path) -> Path:
    """A clone, made of what would be sent to one."""
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    git(folder, "unpack-objects", "-q", stdin=b"".join(there.pack(there.head(), None)))
    git(folder, "update-ref", "refs/heads/main", there.head().hex())
    git(folder, "fsck", "--strict")
    git(folder, "reset", "--hard", "-q")
    return folder
