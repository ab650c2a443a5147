"""Static files: their addresses change with their content, so that browsers may keep them."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"


class Files(StaticFiles):
    """What has its hash in the address is kept for ever, the rest is asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        is_named_by_hash = path.startswith("dist/") or b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = _FOR_EVER if is_named_by_hash else "no-cache"
        return response


def files() -> Files:
    return Files(directory=FOLDER)


@lru_cache(maxsize=200)
def asset_url(name: str) -> str:
    """The address of a file under static/."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@lru_cache(maxsize=1)
def script_url() -> str:
    """The script that every page has; it loads the editor when that is asked for."""
    manifest = json.loads((FOLDER / "dist" / "manifest.json").read_text())
    return f"/static/dist/{manifest['main']}"
