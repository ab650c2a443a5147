"""`groundswell export`: a wiki, some of its spaces, or one page, as files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from sqlalchemy import Connection

from web import setup
from web.cli.folder import at_work, key_of, now_ms, read, with_config
from web.cli.progress import watched
from web.cli.telling import counted, say
from web.cli.verify import contents
from web.config import Config
from web.site import attachments_of
from wiki import page, space
from wiki.exchange import export as exchange
from wiki.exchange import git_stream, pieces, reading
from wiki.exchange.archive import written_beside
from wiki.exchange.pieces import Scope
from wiki.exchange.reading import Sheet
from wiki.exchange.verify_alone import Report
from wiki.key import SiteKey
from wiki.store import Store

FORMATS = ("zip", "json", "facts-csv", "decisions-csv", "git-stream")


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--space", "slugs", metavar="SLUG", multiple=True, help="Only this one; repeatable.")
@click.option(
    "--page", "address", metavar="SPACE/PAGE", help="One page: OUT.md, OUT.html, JSON or CSV."
)
@click.option(
    "--format",
    "wanted",
    type=click.Choice(FORMATS),
    help="zip (proves itself, can be imported), json, facts-csv, decisions-csv, or git-stream for "
    "git fast-import.",
)
@with_config
def export(
    config: Config, out: Path, slugs: tuple[str, ...], address: str | None, wanted: str | None
) -> None:
    """Everything, some spaces or one page into the file OUT (- for standard output); see
    docs/export.md. A server may be running."""
    if address is not None and slugs:
        raise click.UsageError("Give either --page or --space.")
    if address is not None and wanted is None:
        _write_page(config, address, out)
    elif wanted in (None, "zip"):
        if address is not None or str(out) == "-":
            raise click.UsageError("A ZIP holds spaces, and goes into a file.")
        _tell(out, at_work(config, lambda store: _write_zip(config, store, slugs, out)))
    else:
        at_work(
            config, lambda store: _write_pieces(config, store, slugs, address, str(wanted), out)
        )


def _tell(out: Path, report: Report) -> None:
    say(f"{out} holds {contents(report)}.")
    if report.missing:
        say(f"{counted(len(report.missing), 'file')} of pages could not be found; see: check")


async def _write_zip(config: Config, store: Store, slugs: tuple[str, ...], out: Path) -> Report:
    def chosen(conn: Connection) -> list[str] | None:
        return [space.by_slug(conn, slug).id for slug in slugs] or None

    key, ids = key_of(config), await store.read(chosen)
    await store.write(lambda conn: exchange.seal_all(conn, key, now_ms(), ids))
    with watched("Writing pages") as seen:
        return await store.read(
            lambda conn: exchange.export_zip(
                conn,
                key,
                attachments_of(config),
                out,
                space_ids=ids,
                site_name=setup.site_name(conn),
                now_ms=now_ms(),
                on_page=seen,
            )
        )


async def _write_pieces(
    config: Config,
    store: Store,
    slugs: tuple[str, ...],
    address: str | None,
    wanted: str,
    out: Path,
) -> None:
    key = key_of(config)

    def scope_of(conn: Connection) -> Scope:
        if address is not None:
            return Scope(page_id=_page(conn, address).id)
        ids = tuple(space.by_slug(conn, slug).id for slug in slugs)
        return Scope(space_ids=ids or None)

    scope = await store.read(scope_of)
    ids = None if address is not None else scope.space_ids
    await store.write(lambda conn: exchange.seal_all(conn, key, now_ms(), ids))

    def write(conn: Connection) -> None:
        with _opened(out) as file, watched(f"Writing {wanted}") as seen:
            for piece in _pieces(config, key, scope, wanted, conn):
                file.write(piece)
                seen(file.tell() if file.seekable() else len(piece))

    await store.read(write)


def _pieces(
    config: Config, key: SiteKey, scope: Scope, wanted: str, conn: Connection
) -> Iterator[bytes]:
    if wanted == "git-stream":
        if scope.page_id is not None:
            raise click.UsageError("A stream for git holds spaces.")
        found = scope.spaces(conn)
        for one in found:
            branch = "main" if len(found) == 1 else one.slug
            making = git_stream.making(one.id, branch, key.origin, attachments_of(config))
            yield from pieces.written(making, conn)
        return
    makings: dict[str, Callable[[], pieces.Making]] = {
        "json": lambda: pieces.whole(scope, setup.site_name(conn), now_ms()),
        "facts-csv": lambda: pieces.facts(scope),
        "decisions-csv": lambda: pieces.decisions(scope),
    }
    yield from pieces.written(makings[wanted](), conn)


@contextmanager
def _opened(out: Path) -> Iterator[IO[bytes]]:
    if str(out) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with written_beside(out) as file:
        yield file


def _page(conn: Connection, address: str) -> page.Page:
    space_slug, _, slug = address.partition("/")
    home = space.by_slug(conn, space_slug)
    return page.resolve(conn, home.id, slug)[0]


def _write_page(config: Config, address: str, out: Path) -> None:
    if out.suffix not in (".md", ".html") or "/" not in address.strip("/"):
        raise click.UsageError("A page goes into a file: export --page SPACE/PAGE OUT.md or .html")

    def sheet(conn: Connection) -> Sheet:
        one = _page(conn, address)
        home = space.by_id(conn, one.space_id)
        facts = [home.title, one.kind, *(f"#{tag}" for tag in one.tags)]
        return Sheet(one.title, out.stem, page.text(conn, one.id), facts)

    found = read(config, sheet)
    content = found.text if out.suffix == ".md" else reading.html(found, {}, {})
    with written_beside(out) as file:
        file.write(content.encode())
    say(f"{out} holds “{found.title}”.")
