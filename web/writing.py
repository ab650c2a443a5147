"""Writing a page as a whole: from the form without scripts, from programs, from the history."""

from __future__ import annotations

from collections.abc import Sequence

from web.site import Site
from wiki import text
from wiki.errors import TooLarge

MAX_TEXT_BYTES = 900_000  # an update of it stays within what the gate takes


async def replace_text(
    site: Site,
    page_id: str,
    person_id: str,
    *,
    base: str,
    wanted: str,
    via: str,
    seen: Sequence[bytes] = (),
) -> None:
    """Make `wanted` of the page as somebody who saw `base`; what others wrote since stays.

    `seen` are the updates that make `base`, where they are known: then the edit is made on them,
    and touches no character that came later. Returns once durable. Raises TooLarge."""
    checked = text.plain(wanted)
    if len(checked.encode()) > MAX_TEXT_BYTES:
        raise TooLarge("The text", len(checked.encode()), MAX_TEXT_BYTES)

    def make(state: bytes, client: int) -> bytes:
        current = text.text_of_updates([state])
        if seen and current != base:
            return text.replace_update(text.compacted(seen), text.new_client(), checked)
        return text.replace_update(state, client, text.rebased(base, checked, current))

    await site.rooms.submit(page_id, person_id, make, via)
