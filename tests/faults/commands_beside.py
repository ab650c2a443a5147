"""What else is at work on the folder when a server is killed: commands, killed with it.

export    seals all journals, then reads everything
import    pages in batches, each a transaction
backup    copies all of the folder
reindex   after the server is dead; or the index goes, and the next server makes it anew
"""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.nursery import Forked, forked

BESIDE = ("export", "import", "backup")  # a server
FILES = 12  # of the folder that is brought in


@dataclass
class CommandsBeside:
    """`begun` and `killed` count by command; what had ended before is not killed."""

    folder: Path  # of the site
    chance: random.Random
    begun: dict[str, int] = field(default_factory=dict)
    killed: dict[str, int] = field(default_factory=dict)
    _last: str = ""

    async def begin(self) -> Forked:
        """One of `BESIDE`."""
        name = self.chance.choice(BESIDE)
        self._spare.mkdir(exist_ok=True)
        out = str(self._spare / f"{name}-{sum(self.begun.values())}")  # nothing is written over
        given = self._import() if name == "import" else (out,)
        return await self._started(name, *given)

    async def kill(self, process: Forked) -> None:
        """The one that was begun last."""
        if process.returncode is None:
            process.kill()
            self.killed[self._last] = self.killed.get(self._last, 0) + 1
        _, told = await process.communicate()
        assert process.returncode in (0, -9), told.decode()

    async def reindex(self) -> None:
        """Killed on its way; or the index is lost, so that the next server must make it anew."""
        if self.chance.random() < 0.5:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            return
        process = await self._started("reindex")
        await asyncio.sleep(self.chance.uniform(0.4, 1.6))  # the moment is what is tested
        await self.kill(process)

    async def _started(self, name: str, *given: str) -> Forked:
        self._last = name
        self.begun[name] = self.begun.get(name, 0) + 1
        return await forked(name, *given, "--data", str(self.folder))

    def _import(self) -> tuple[str, ...]:
        folder = self._spare / "notes"
        if not folder.is_dir():
            folder.mkdir(parents=True)
            for number in range(FILES):
                text = f"# Note {number}\n\n" + f"A thought about [[Note {number + 1}]].\n" * 400
                (folder / f"note-{number}.md").write_text(text)
        return str(folder), "--space", f"Brought in {self.chance.randrange(1000)}"

    @property
    def _spare(self) -> Path:
        return self.folder.parent / f"{self.folder.name}-beside"
