"""What the frame of every page shows of the site."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from web import setup
from wiki import peer, space
from wiki.space import Space


class Frame(NamedTuple):
    """`spaces`: all, whoever may see them; `sites`: the names of the others, by their ids."""

    name: str
    spaces: list[Space]
    sites: dict[str, str]


def frame(conn: Connection) -> Frame:
    return Frame(setup.site_name(conn), space.every(conn), peer.names(conn))
