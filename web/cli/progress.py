"""How far a long piece of work has come, for whoever sits there; nothing where nobody does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Seen = Callable[..., None]


@contextmanager
def watched(what: str) -> Iterator[Seen]:
    """`seen(done)` or `seen(done, of_how_many)`; may be called from any thread."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    is_hidden = not sys.stderr.isatty()
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=is_hidden
    ) as progress:
        task = progress.add_task(what, total=None)

        def seen(done: int, total: int | None = None) -> None:
            progress.update(task, completed=done, total=total)

        yield seen
