"""Words for people go to stderr, data for scripts to stdout; both are seen in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table


def say(sentence: str) -> None:
    """To whoever sits there."""
    click.echo(sentence, err=True)


def give(data: str) -> None:
    """To whatever reads the output; one line."""
    click.echo(data)


def give_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table in a terminal; else fields between tabs, a row a line, without headings."""
    if not sys.stdout.isatty():
        for row in rows:
            give("\t".join(" ".join(cell.split()) for cell in row))
        return
    table = Table(*headings, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, highlight=False).print(table)


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 page`, `1,200 pages`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
