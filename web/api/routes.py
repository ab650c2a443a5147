"""The addresses of the API."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from web.api import (
    finding,
    history,
    pages,
    quick,
    redactions,
    saved_searches,
    similar,
    spaces,
    talk,
    versions,
)
from web.api.openapi import document
from web.api.operation import PREFIX, routes_of

OPERATIONS = (
    *spaces.OPERATIONS,
    *pages.OPERATIONS,
    *history.OPERATIONS,
    *talk.OPERATIONS,
    *versions.OPERATIONS,
    *redactions.OPERATIONS,
    *finding.OPERATIONS,
    *quick.OPERATIONS,
    *similar.OPERATIONS,
    *saved_searches.OPERATIONS,
)


async def openapi(request: Request) -> Response:
    return JSONResponse(_document())


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return document(OPERATIONS, version("groundswell"))


routes = [
    Route(f"{PREFIX}/openapi.json", openapi),
    *routes_of(OPERATIONS),
]
