"""After a redaction on the command line: no byte of the folder keeps what was taken out."""

from __future__ import annotations

from web import erasing
from web.cli.folder import at_work
from web.cli.telling import say
from web.config import Config
from wiki.store import Store


def cleaned(config: Config) -> None:
    """Raises Unavailable when the database could not be written anew."""

    async def work(store: Store) -> bool:
        is_alone = await erasing.drop_index(store, config)
        await erasing.clean(store, config)
        return is_alone

    if not at_work(config, work):
        say("The server that is running makes its search index anew; that takes a moment.")
