"""What the history in a git repository makes of its Markdown files: pages with theirs.

Every revision is read as `markdown_folder` reads a file: without the fields on top, its links led
to where they lead now, so that a page's words are those of their authors all along, and the last
text is the one that the folder alone would have become.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wiki import attachment, text
from wiki.attachment import Prepared
from wiki.exchange.arrival import Arrival, Loss, Version
from wiki.exchange.folder_files import decoded
from wiki.exchange.git_source import Event, Source
from wiki.exchange.markdown_folder import Plan, Planned, Reader, new_address


class GitPages:
    """`plan` is of the files as they are now. `losses` grow while pages are made."""

    def __init__(self, source: Source, plan: Plan, attachments_folder: Path) -> None:
        self._source, self._plan, self._folder = source, plan, attachments_folder
        self.losses: list[Loss] = [*source.losses, *plan.losses]

    def __len__(self) -> int:
        return len(self._plan.pages)

    def arrivals(self, *, is_dry: bool = False) -> Iterator[Arrival]:
        """`is_dry`: no file is stored."""
        for one in self._plan.pages:
            files: dict[str, Prepared] = {}
            addresses: dict[str, str] = {}
            for path in () if is_dry else one.files:
                data = (self._plan.folder / path).read_bytes()
                held = attachment.accept(self._folder, PurePosixPath(path).name, data)
                identity, addresses[path] = new_address(held.name)
                files[identity] = held
            versions = self._versions(one, addresses)
            yield Arrival(one.path, one.title, versions, one.tags, files=files)

    def _versions(self, one: Planned, addresses: dict[str, str]) -> Iterator[Version]:
        reader = Reader(self._plan, one, addresses)
        blob, shown = None, ""
        for event in self._source.files.get(one.path, []):
            new = self._shown(reader, event.new)
            if event.is_merge and new == shown:
                blob = event.new
                continue  # it merged what has come already
            is_side = not event.is_main and event.old is not None and event.old != blob
            if is_side:  # the text has been changed elsewhere since this one was begun
                shown = text.rebased(self._shown(reader, event.old), new, shown)
                blob = None
            else:
                shown, blob = new, event.new
            yield self._version(event, shown)

    def _version(self, event: Event, shown: str) -> Version:
        author, at_ms = self._source.author(event.commit)
        return Version(author, at_ms, shown, f"git {event.commit.decode()}")

    def _shown(self, reader: Reader, blob: object) -> str:
        raw, _ = decoded(self._source.data(blob))  # type: ignore[arg-type]
        return reader.shown(raw)
