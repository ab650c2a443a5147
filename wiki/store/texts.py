"""The texts of pages as they were last read or typed: most pages are read far more than changed.

A text is named by its page and the change counter's value that made it (`page.change`), so what is
kept can be old but never wrong. Readers' connections carry the one `Texts` of their store; the
writer's does not: inside a transaction a text may be ahead of its counter.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from sqlalchemy import Connection

MAX_CHARS = 32 * 1024 * 1024
_NAME = "texts"


class Texts:
    """At most `max_chars` characters, those used last. For any thread."""

    def __init__(self, max_chars: int = MAX_CHARS) -> None:
        self._max_chars, self._chars = max_chars, 0
        self._texts: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, conn: Connection) -> Texts | None:
        """Those that this connection may use."""
        return conn.info.get(_NAME)

    def lend(self, conn: Connection) -> None:
        """From now on `conn`, which only reads, may use them."""
        conn.info[_NAME] = self

    def get(self, page_id: str, change: int) -> str | None:
        """The page's text after that change, if it is here."""
        with self._lock:
            kept = self._texts.get(page_id)
            if kept is None or kept[0] != change:
                return None
            self._texts.move_to_end(page_id)
            return kept[1]

    def keep(self, page_id: str, change: int, text: str) -> None:
        """An older change of the page makes room for a newer one, never the other way round."""
        with self._lock:
            kept = self._texts.get(page_id)
            if kept is not None:
                if kept[0] > change:
                    return
                self._chars -= len(kept[1])
            self._texts[page_id] = (change, text)
            self._texts.move_to_end(page_id)
            self._chars += len(text)
            while self._chars > self._max_chars:
                _, (_, gone) = self._texts.popitem(last=False)
                self._chars -= len(gone)
