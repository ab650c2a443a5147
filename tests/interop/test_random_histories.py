"""Our gate and room against real Yjs, on random histories (tests/interop/histories.py)."""

from __future__ import annotations

import random

import pytest

from tests.interop.histories import Compared, compare
from tests.support.yjs_clients import yjs_clients

COUNT = 300


@pytest.mark.node
@pytest.mark.soak
async def test_random_histories_differ_nowhere_from_real_yjs() -> None:
    compared = Compared()
    async with yjs_clients() as yjs:
        await compare(yjs, random.getrandbits(31), COUNT, compared)
    assert compared.histories == COUNT
    assert compared.gaps > 0  # stock clients that do not wait are among them
    assert compared.characters > 50 * COUNT
