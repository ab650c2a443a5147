"""Taking a wiki along and bringing one in: time, processor and memory of every way there is.

Each way is a command in a process of its own, as people run it; no server runs beside.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from xml.sax.saxutils import escape

from benchmarks.rig.corpus import Corpus, Draft
from benchmarks.rig.figures import show, size, table
from benchmarks.rig.site import filled

PROGRAM = (sys.executable, "-c", "from web.cli import main; main()")
HEAD = ("", "seconds", "processor s", "memory", "result", "pages a second")
ROOT = Path(__file__).resolve().parents[1]


class Row(Protocol):
    """Measures a command and keeps a line of the table."""

    def __call__(self, name: str, words: Sequence[str], result: Path | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took. `memory_bytes`: the most that was resident."""

    seconds: float
    processor_seconds: float
    memory_bytes: int


def options_of(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench exchange", description=__doc__)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--revisions", type=int, default=3, help="of each page of a dump")
    parser.add_argument("--quick", action="store_true", help="20 pages: does it still run?")
    return parser.parse_args(words)


async def measured(options: argparse.Namespace, folder: Path) -> str:
    count = 20 if options.quick else options.pages
    drafts = list(Corpus().drafts(count))
    site = folder / "site"
    await filled(site, people_count=3, drafts=drafts)
    rows = await asyncio.to_thread(_rows, folder, drafts, options.revisions)
    return table(f"{count:,} pages", HEAD, rows)


def _rows(folder: Path, drafts: Sequence[Draft], revisions: int) -> list[tuple[str, ...]]:
    site, count, rows = str(folder / "site"), len(drafts), []

    def row(name: str, words: Sequence[str], result: Path | None = None) -> None:
        cost = ran(words)
        made = size(result.stat().st_size) if result else ""
        rate = show(count / cost.seconds, 0)
        memory = size(cost.memory_bytes)
        figures = (show(cost.seconds), show(cost.processor_seconds), memory, made, rate)
        rows.append((name, *figures))

    def export(wanted: str, out: Path) -> None:
        words = (*PROGRAM, "export", str(out), "--format", wanted, "--data", site)
        row(f"export {wanted}", words, out)

    archive = folder / "all.zip"
    export("zip", archive)
    row("verify", (*PROGRAM, "verify", str(archive)))
    fresh = str(folder / "fresh")
    row("import zip", (*PROGRAM, "import", str(archive), "--data", fresh))
    export("json", folder / "all.json")
    export("facts-csv", folder / "facts.csv")
    stream = folder / "ideas.stream"
    export("git-stream", stream)
    clone = (sys.executable, "-m", "benchmarks.rig.clone", site, "ideas")
    row("repository for git clone, first", clone)
    row("repository for git clone, again", clone)
    _with_history(folder, drafts, revisions, stream, row)
    return rows


def _with_history(
    folder: Path, drafts: Sequence[Draft], revisions: int, stream: Path, row: Row
) -> None:
    """From a dump of MediaWiki; and, where git is, from what git makes of our own stream."""
    dump = folder / "dump.xml"
    dumped(dump, drafts, revisions)
    site = str(folder / "second")
    person = (*PROGRAM, "person", "add", "ada", "--admin", "--password-stdin", "--data", site)
    subprocess.run(person, input=b"a long enough sentence", check=True, capture_output=True)
    words = (*PROGRAM, "import", str(dump), "--space", "Dump", "--data", site)
    row(f"import mediawiki, {revisions} revisions each", words, dump)
    if shutil.which("git"):
        bare = folder / "bare.git"
        subprocess.run(("git", "init", "-q", "--bare", "-b", "main", bare), check=True)
        with stream.open("rb") as file:
            words = ("git", "-C", str(bare), "fast-import", "--quiet")
            subprocess.run(words, stdin=file, check=True, capture_output=True)
        row("import git", (*PROGRAM, "import", str(bare), "--space", "Git", "--data", site))


def dumped(file: Path, drafts: Sequence[Draft], revisions: int) -> None:
    """The drafts as a wiki whose pages grew, line by line, by several hands."""
    with file.open("w", encoding="utf-8") as out:
        out.write('<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11">')
        for number, draft in enumerate(drafts):
            title = escape(draft.title)
            out.write(f"<page><title>{title}</title><ns>0</ns><id>{number}</id>")
            lines = draft.text.splitlines(keepends=True)
            for step in range(1, revisions + 1):
                body = "".join(lines[: max(1, len(lines) * step // revisions)])
                out.write(
                    f"<revision><id>{number * revisions + step}</id>"
                    f"<timestamp>2020-01-01T00:{step % 60:02}:00Z</timestamp><contributor>"
                    f"<username>Person {step % 5}</username></contributor>"
                    f"<text>{escape(body)}</text></revision>"
                )
            out.write("</page>\n")
        out.write("</mediawiki>")


def ran(words: Sequence[str]) -> Cost:
    """Raises RuntimeError with what the command said when it fails."""
    began = time.monotonic()
    process = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_environment()
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{' '.join(words[-6:])}: {said.decode()[-2000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if "GROUNDSWELL" not in name}


def main() -> None:
    options = options_of(sys.argv[1:])
    with TemporaryDirectory(prefix="groundswell-bench-") as folder:
        print(asyncio.run(measured(options, Path(folder))))


if __name__ == "__main__":
    main()
