"""What SQLite finds with the same pages and questions, used as well as its documentation shows.

Words go to an FTS5 table with Porter's stems over unicode61 without accents, titles weighing ten
times the text in bm25, former names five times; text without spaces between words goes to a second
table of trigrams. All words must be there; when fewer than ten pages have them all, pages with some
of them follow.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

TABLES = {
    "words": "porter unicode61 remove_diacritics 2",
    "trigrams": "trigram",
}
BEST = "SELECT rowid FROM {} WHERE {} MATCH ? ORDER BY bm25({}, 10.0, 1.0, 5.0) LIMIT ?"
_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3,}")
_WORD = re.compile(r"\w+")


class Fts:
    """Titles and texts, found by their number."""

    def __init__(self, database: Path) -> None:
        self._conn = sqlite3.connect(database)
        for name, tokenizer in TABLES.items():
            self._conn.execute(
                f"CREATE VIRTUAL TABLE {name} "
                f"USING fts5(title, text, former, tokenize = '{tokenizer}')"
            )

    def fill(self, pages: Iterable[tuple[str, str, str]]) -> None:
        """With titles, texts and former names."""
        with self._conn:
            for number, (title, text, former) in enumerate(pages):
                for name in TABLES:
                    self._conn.execute(
                        f"INSERT INTO {name} (rowid, title, text, former) VALUES (?, ?, ?, ?)",
                        (number, title, text, former),
                    )

    def find(self, text: str, limit: int = 10) -> list[int]:
        """Numbers of pages, best first."""
        runs = _RUN.findall(text)
        table, asked = ("trigrams", runs) if runs else ("words", _WORD.findall(text))
        found: list[int] = []
        for joined in (" AND ", " OR "):
            if len(found) < limit and asked:
                match = joined.join(f'"{word}"' for word in asked)
                query = BEST.format(table, table, table)
                rows = self._conn.execute(query, (match, limit)).fetchall()
                found += [row[0] for row in rows if row[0] not in found]
        return found[:limit]

    def close(self) -> None:
        self._conn.close()
