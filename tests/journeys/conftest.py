"""One browser and one server per worker: each test has pages of its own. Windows are closed, and
what went wrong in them fails the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.server import Server, a_peopled_server
from tests.support.windows import Windows, a_browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with a_peopled_server(tmp_path_factory.mktemp("site")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def server(site: Server) -> Server:
    """Ada administers it, eve and bob may edit in the space `ideas`. It runs, whatever the test
    before did to it."""
    if not site.is_running:
        await site.start()
    return site


@pytest_asyncio.fixture(loop_scope="session")
async def windows(browser: Browser) -> AsyncIterator[Windows]:
    opened = Windows(browser)
    yield opened
    await opened.close()
    assert not opened.errors, opened.errors
