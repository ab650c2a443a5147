"""Writing the ZIP of an export: file after file, beside its place, then renamed into it."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wiki.errors import TooLarge
from wiki.exchange.verify_alone import LIMIT, central_header, ending, local_header
from wiki.names import new_token


class Archive:
    """`listed` says of each file added its size and SHA-256, as the manifest has them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._central: list[bytes] = []
        self._offset = 0
        self.listed: dict[str, list[int | str]] = {}

    def add(self, name: str, data: bytes) -> None:
        """Raises TooLarge over 4 GiB."""
        if len(data) >= LIMIT:
            raise TooLarge(f"The file {name} of the export", len(data), LIMIT - 1)
        crc, encoded = zlib.crc32(data), name.encode()
        self._central.append(central_header(encoded, len(data), crc, self._offset))
        header = local_header(encoded, len(data), crc)
        self._file.write(header)
        self._file.write(data)
        self._offset += len(header) + len(data)
        self.listed[name] = [len(data), hashlib.sha256(data).hexdigest()]

    def finish(self) -> None:
        """Nothing can be added any more."""
        central = b"".join(self._central)
        self._file.write(central)
        self._file.write(ending(len(self._central), len(central), self._offset))


@contextmanager
def written_beside(target: Path) -> Iterator[IO[bytes]]:
    """A file that takes `target`'s place, durably, when all went well, and else goes away."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{new_token()[:8]}.new")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
