"""What pages can come from, opened for `history_import`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from web.cli.history_import import Opened, Opening
from web.cli.progress import Seen
from web.config import Config
from web.site import attachments_of
from wiki.exchange import git_source, markdown_folder
from wiki.exchange.git_pages import GitPages


def git(
    config: Config, path: Path, branch: str | None, under: str, stack: ExitStack, *, is_dry: bool
) -> Opening:
    """A repository; its files as they are now lie in a folder of their own while it is read."""

    def opening(taken: frozenset[str], seen: Seen) -> Opened:
        source = git_source.opened(path, branch, under, seen)
        place = Path(stack.enter_context(TemporaryDirectory(prefix="groundswell-")))
        folder = place / (PurePosixPath(under).name or path.resolve().name)
        folder.mkdir()
        source.check_out(folder)
        plan = markdown_folder.plan(folder, taken)
        found = GitPages(source, plan, attachments_of(config))
        return Opened(found.arrivals(is_dry=is_dry), lambda: found.losses, len(found))

    return opening
