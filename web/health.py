"""For machines that watch: `/healthz` says whether the site works, `/metrics` counts."""

from __future__ import annotations

import hmac
import time

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from web.site import Site
from wiki import log, repair
from wiki.errors import Forbidden, Unavailable
from wiki.store import tables

STARTED = time.time()
_LOOPBACK = ("127.0.0.1", "::1")


async def healthz(request: Request) -> Response:
    """200 when the store answers, else 503; nothing that outsiders should not know. `search` is
    "rebuilding" while the index is being made anew and finds less than there is; then
    `search_done_percent` says how far it is."""
    site: Site = request.app.state.site
    try:
        await site.store.read(lambda conn: conn.scalar(select(1)))
    except Unavailable as error:
        return JSONResponse({"status": "failing", "reason": str(error)}, 503)
    if not site.search.is_rebuilding:
        return JSONResponse({"status": "ok", "search": "ready"})
    done = {"search": "rebuilding", "search_done_percent": site.indexer.done_percent}
    return JSONResponse({"status": "ok", **done})


async def metrics(request: Request) -> Response:
    """In Prometheus' text format. Raises Forbidden."""
    site: Site = request.app.state.site
    _check_reader(request, site.config.metrics_token)
    registry = CollectorRegistry()
    rooms, sockets = site.rooms.counts()
    counts = await site.store.read(_counts)
    for name, value, words in (
        ("rooms", rooms, "Pages in memory."),
        ("sockets", sockets, "Open sockets in rooms."),
        ("search_behind", site.indexer.lag, "Changed pages that the search has not seen."),
        ("search_done_percent", site.indexer.done_percent, "Of all pages."),
        ("search_rebuilding", site.search.is_rebuilding, "1 while the index is made anew."),
        ("uptime_seconds", time.time() - STARTED, "Since the process started."),
        *counts,
    ):
        Gauge(f"groundswell_{name}", words, registry=registry).set(value)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _counts(conn: Connection) -> list[tuple[str, float, str]]:
    def rows(table: str) -> int:
        query = select(func.count()).select_from(tables.metadata.tables[table])
        return conn.scalar(query) or 0

    return [
        ("pages", rows("page"), "Pages, archived ones too."),
        ("people", rows("person"), "Accounts."),
        ("journal_rows", rows("journal"), "Durable updates that are not sealed yet."),
        ("repairs", repair.count(conn), "Pages that were built anew, each time."),
        ("records", log.last_position(conn), "The newest position of the record."),
    ]


def _check_reader(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    is_local = request.client is not None and request.client.host in _LOOPBACK
    if hmac.compare_digest(given.encode(), token.encode()) if token else is_local:
        return
    raise Forbidden("read", "the metrics", "Send the token of the setting metrics.token.")


routes = [Route("/healthz", healthz), Route("/metrics", metrics)]
