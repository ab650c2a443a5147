"""Recorded editing histories (tests/data/traces), and what their text must be by plain replay."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "data" / "traces"


def path(name: str) -> Path:
    return FOLDER / f"{name}.json.gz"


def trace(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return found


def replayed(recorded: dict[str, Any], limit: int | None = None) -> str:
    """The text of a sequential history, without any CRDT."""
    text = list(recorded["startContent"])
    for transaction in recorded["txns"][:limit]:
        for position, deleted, inserted in transaction["patches"]:
            text[position : position + deleted] = inserted
    return "".join(text)
