"""A server as a process of its own, and what it costs: processor time and memory, from /proc."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 30
REST_SECONDS = 600.0
LOOK_SECONDS = 1.0
RESTS_BELOW_BYTES, RESTS_BELOW_SHARE = 1_000_000, 0.1  # that it grows; of a processor
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ROOT = Path(__file__).resolve().parents[2]
LIMITS = ("FRAMES", "KIB", "WORK_MS")


@dataclass
class Server:
    """`command` prints one line that ends with its port; then it listens on 127.0.0.1."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Until it listens. Raises RuntimeError with what it said when it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        errors = self.folder.with_suffix(".log")
        with errors.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=_clean_environment() | self.environment,
                cwd=ROOT,
            )
        assert self.process.stdout is not None
        line = b""
        try:
            async with asyncio.timeout(START_SECONDS):
                while not (found := re.search(rb":(\d+)\s*$", line)):
                    line = await self.process.stdout.readline()
                    if not line:
                        break
        except TimeoutError:
            found = None
        if not found:
            await self.kill()
            raise RuntimeError(f"{self.name} did not start: {errors.read_text()[-2000:]}")
        self.port = int(found[1])

    async def rest(self) -> None:
        """Until what it does after its start, or after what was done to it, is over: that is no
        keystroke's and no socket's. Raises TimeoutError."""
        async with asyncio.timeout(REST_SECONDS):
            while True:
                memory, cpu = self.memory_bytes, self.cpu_seconds
                await asyncio.sleep(LOOK_SECONDS)
                grown, worked = self.memory_bytes - memory, self.cpu_seconds - cpu
                if grown < RESTS_BELOW_BYTES and worked < RESTS_BELOW_SHARE * LOOK_SECONDS:
                    return

    async def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    @property
    def memory_bytes(self) -> int:
        """Resident."""
        return int(self._proc("statm").split()[1]) * PAGE_BYTES

    def _proc(self, name: str) -> str:
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/{name}").read_text()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


def groundswell(folder: Path) -> Server:
    """Our own server on the data in `folder`, as people run it; but without limits, as its peers
    have none."""
    program = (sys.executable, "-c", "from web.cli import main; main()")
    where = ("serve", "--data", str(folder), "--port", "0")
    environment = {"GROUNDSWELL_LOG_LEVEL": "error"}
    environment |= {f"GROUNDSWELL_LIMITS_{name}_PER_SECOND": "0" for name in LIMITS}
    return Server("groundswell", (*program, *where), folder, environment)


def module(name: str, of: str, folder: Path, *arguments: str) -> Server:
    """A module of `benchmarks.rig` as a server, in this Python."""
    return Server(name, (sys.executable, "-m", f"benchmarks.rig.{of}", *arguments), folder)


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if "GROUNDSWELL" not in name}
