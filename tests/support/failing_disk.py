"""The program on a disk that is full for as long as there is a file `full` beside its database.

python -m tests.support.failing_disk serve --data FOLDER …
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.vfs import FULL, OK, recording
from web.cli import main

PROGRAM = (sys.executable, "-m", "tests.support.failing_disk")
FLAG = "full"


def run() -> None:
    folder = Path(sys.argv[sys.argv.index("--data") + 1])
    with recording(folder) as disk:
        disk.fail = lambda what: FULL if what.kind == "write" and (folder / FLAG).exists() else OK
        main()


if __name__ == "__main__":
    run()
