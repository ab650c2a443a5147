"""The floor: what the same stack takes to answer with next to nothing.

`/page` renders a template of ten lines. `/search?q=…` asks SQLite FTS5, over the same pages as our
own search: ten hits with snippets, how many there are, and how many of each kind. A server:
`python -m benchmarks.rig.floor DATABASE`, prints its port.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from threading import local

import uvicorn
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from benchmarks.rig.corpus import Draft
from benchmarks.rig.listening import announced

TEMPLATE = """<!doctype html>
<html lang="en">
<head><title>{{ title }}</title></head>
<body>
<h1>{{ title }}</h1>
{% for hit in hits %}<h2>{{ hit[0] }}</h2><p>{{ hit[1] | safe }}</p>
{% endfor %}
<p>{{ words }}</p>
</body>
</html>
"""
SCHEMA = "CREATE VIRTUAL TABLE page USING fts5(title, text, kind UNINDEXED, tokenize = 'porter')"
HITS = (
    "SELECT title, snippet(page, 1, '<mark>', '</mark>', '…', 24) FROM page WHERE page MATCH ? "
    "ORDER BY rank LIMIT 10"
)
COUNTS = "SELECT kind, count(*) FROM page WHERE page MATCH ? GROUP BY kind"

template = Environment(autoescape=True).from_string(TEMPLATE)


def fill(database: Path, drafts: Iterable[Draft]) -> None:
    with sqlite3.connect(database) as conn:
        conn.execute(SCHEMA)
        rows = ((one.title, one.text, one.kind) for one in drafts)
        conn.executemany("INSERT INTO page VALUES (?, ?, ?)", rows)


def app(database: Path) -> Starlette:
    of_thread = local()

    def connection() -> sqlite3.Connection:
        if not hasattr(of_thread, "conn"):
            of_thread.conn = sqlite3.connect(database)
        conn: sqlite3.Connection = of_thread.conn
        return conn

    async def page(request: Request) -> HTMLResponse:
        title = request.query_params.get("title", "")
        return HTMLResponse(template.render(title=title, hits=(), words="Some words."))

    def search(request: Request) -> HTMLResponse:
        asked = request.query_params["q"]
        hits = connection().execute(HITS, (asked,)).fetchall()
        counts = connection().execute(COUNTS, (asked,)).fetchall()
        return HTMLResponse(template.render(title=asked, hits=hits, words=f"{counts}"))

    return Starlette(routes=[Route("/page", page), Route("/search", search)])


if __name__ == "__main__":
    listener = announced()
    settings = uvicorn.Config(
        app(Path(sys.argv[1])), http="httptools", access_log=False, log_level="error"
    )
    uvicorn.Server(settings).run(sockets=[listener])
