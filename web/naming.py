"""Names for texts of a page, from the history screen and the API."""

from __future__ import annotations

from web.site import Site
from wiki import naming
from wiki.history import NOW
from wiki.record import Record


async def name_text(site: Site, page_id: str, person_id: str, called: str, moment: str) -> Record:
    """What is being typed at this moment is in the present text. Raises BadInput, NotFound."""
    if moment == NOW:
        await site.rooms.seal_now(page_id)
    told = (page_id, site.now_ms(), person_id, called, moment)
    return await site.store.write(lambda conn: naming.name_revision(conn, site.key, *told))


async def unname(site: Site, page_id: str, person_id: str, moment: str) -> Record:
    """Raises NotFound for a text that has no name."""
    told = (page_id, site.now_ms(), person_id, moment)
    return await site.store.write(lambda conn: naming.unname_revision(conn, site.key, *told))
