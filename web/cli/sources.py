"""What pages can come from, opened for `history_import`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from web.cli.history_import import Opened, Opening
from web.cli.progress import Seen
from web.config import Config
from web.site import attachments_of
from wiki.errors import BadInput
from wiki.exchange import fedwiki as fedwikis
from wiki.exchange import git_source, markdown_folder
from wiki.exchange.etherpad import Pad
from wiki.exchange.git_pages import GitPages
from wiki.exchange.mediawiki import CONTENT, Dump


def git(
    config: Config, path: Path, branch: str | None, under: str, stack: ExitStack, *, is_dry: bool
) -> Opening:
    """A repository; its files as they are now lie in a folder of their own while it is read."""

    def opening(taken: frozenset[str], seen: Seen) -> Opened:
        source = git_source.opened(path, branch, under, seen)
        stack.callback(source.repo.close)
        place = Path(stack.enter_context(TemporaryDirectory(prefix="groundswell-")))
        folder = place / (PurePosixPath(under).name or path.resolve().name)
        folder.mkdir()
        source.check_out(folder)
        plan = markdown_folder.plan(folder, taken)
        found = GitPages(source, plan, attachments_of(config))
        return Opened(found.arrivals(is_dry=is_dry), lambda: found.losses, len(found))

    return opening


def mediawiki(path: Path, namespaces: str | None) -> Opening:
    """A dump. Raises BadInput for numbers that are none."""
    try:
        asked = [
            int(one) for one in (namespaces or "").split(",") if one.strip() not in ("", "all")
        ]
    except ValueError as error:
        raise BadInput("namespaces", "give numbers with commas between, or all") from error
    wanted = None if namespaces == "all" else asked or CONTENT

    def opening(taken: frozenset[str], seen: Seen) -> Opened:
        dump = Dump(path, wanted)
        return Opened(dump.arrivals(), lambda: dump.losses)

    return opening


def fedwiki(path: Path) -> Opening:
    """A page, a folder of them, or an export."""

    def opening(taken: frozenset[str], seen: Seen) -> Opened:
        pages = fedwikis.Pages(path)
        return Opened(pages.arrivals(), lambda: pages.losses)

    return opening


def etherpad(path: Path) -> Opening:
    """One pad."""

    def opening(taken: frozenset[str], seen: Seen) -> Opened:
        pad = Pad(path)
        return Opened(iter([pad.arrival()]), lambda: pad.losses, 1)

    return opening
