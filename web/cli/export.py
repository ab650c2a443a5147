"""`groundswell export`: a wiki, some of its spaces, or one page, as files."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import Connection

from web import setup
from web.cli.folder import at_work, key_of, now_ms, read, with_config
from web.cli.telling import counted, say
from web.cli.verify import contents
from web.config import Config
from web.site import attachments_of
from wiki import page, space
from wiki.exchange import export as exchange
from wiki.exchange import reading
from wiki.exchange.archive import written_beside
from wiki.exchange.reading import Sheet
from wiki.exchange.verify_alone import Report
from wiki.store import Store


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--space", "slugs", metavar="SLUG", multiple=True, help="Only this one; repeatable.")
@click.option("--page", "address", metavar="SPACE/PAGE", help="One page, into OUT.md or OUT.html.")
@with_config
def export(config: Config, out: Path, slugs: tuple[str, ...], address: str | None) -> None:
    """Everything as a ZIP that can be read without a server, proven, and imported elsewhere; see
    docs/export.md. A server may be running."""
    if address is not None:
        if slugs:
            raise click.UsageError("Give either --page or --space.")
        _write_page(config, address, out)
        return
    report = at_work(config, lambda store: _write_zip(config, store, slugs, out))
    say(f"{out} holds {contents(report)}.")
    if report.missing:
        say(f"{counted(len(report.missing), 'file')} of pages could not be found; see: check")


async def _write_zip(config: Config, store: Store, slugs: tuple[str, ...], out: Path) -> Report:
    def chosen(conn: Connection) -> list[str] | None:
        return [space.by_slug(conn, slug).id for slug in slugs] or None

    key, ids = key_of(config), await store.read(chosen)
    await store.write(lambda conn: exchange.seal_all(conn, key, now_ms(), ids))
    return await store.read(
        lambda conn: exchange.export_zip(
            conn,
            key,
            attachments_of(config),
            out,
            space_ids=ids,
            site_name=setup.site_name(conn),
            now_ms=now_ms(),
        )
    )


def _write_page(config: Config, address: str, out: Path) -> None:
    space_slug, _, slug = address.partition("/")
    if out.suffix not in (".md", ".html") or not slug:
        raise click.UsageError("A page goes into a file: export --page SPACE/PAGE OUT.md or .html")

    def sheet(conn: Connection) -> Sheet:
        home = space.by_slug(conn, space_slug)
        one, _ = page.resolve(conn, home.id, slug)
        facts = [home.title, one.kind, *(f"#{tag}" for tag in one.tags)]
        return Sheet(one.title, out.stem, page.text(conn, one.id), facts)

    found = read(config, sheet)
    content = found.text if out.suffix == ".md" else reading.html(found, {}, {})
    with written_beside(out) as file:
        file.write(content.encode())
    say(f"{out} holds “{found.title}”.")
