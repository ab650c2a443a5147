"""`groundswell verify`: whether an export is complete and unchanged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from web.cli.folder import with_config
from web.cli.telling import counted, give
from web.config import Config
from wiki.exchange import verify_alone
from wiki.exchange.verify import Report, verify_zip


@click.command()
@click.argument("path", metavar="ZIP", type=click.Path(path_type=Path))
@with_config
def verify(config: Config, path: Path) -> None:
    """Prove that the export ZIP (or the folder it was unpacked into) is complete and unchanged.

    Exit code 0 if it is; else 1, and a sentence that names what was changed."""
    report = verify_zip(path)
    give(f"Complete and unchanged: {path.name} holds {contents(report)}.")
    if report.begin_later:
        give(verify_alone.begin_later_line(report.begin_later))
    for one in report.redactions:
        at = datetime.fromtimestamp(one.at_ms / 1000, UTC).strftime("%Y-%m-%d")
        give(f"Redacted {at} by {one.by or 'the site'}, record {one.record}: {one.why}")


def contents(report: Report) -> str:
    """What is in an export, whose it is and of when."""
    made = datetime.fromtimestamp(report.made_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    counts = (
        counted(report.spaces, "space"),
        counted(report.pages, "page"),
        counted(report.records, "record"),
        counted(report.attachments, "file"),
    )
    lost = f", without {counted(len(report.missing), 'lost file')}" if report.missing else ""
    return f"{', '.join(counts)}{lost}; exported {made} by “{report.site}”, site id {report.origin}"
