"""The program on a disk that fails for as long as there is a file beside its database that says so.

python -m tests.support.failing_disk serve --data FOLDER …

    full      nothing more can be written
    failing   what is written cannot be brought to the disk: fsync gives EIO
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.vfs import EIO_ON_SYNC, FULL, OK, Attempt, recording
from web.cli import main

PROGRAM = (sys.executable, "-m", "tests.support.failing_disk")
IS_FULL, IS_FAILING = "full", "failing"


def run() -> None:
    folder = Path(sys.argv[sys.argv.index("--data") + 1])

    def verdict(attempt: Attempt) -> int:
        if attempt.kind == "write" and (folder / IS_FULL).exists():
            return FULL
        if attempt.kind == "sync" and (folder / IS_FAILING).exists():
            return EIO_ON_SYNC
        return OK

    with recording(folder) as disk:
        disk.fail = verdict
        main()


if __name__ == "__main__":
    run()
