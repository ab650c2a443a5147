"""`groundswell` processes forked from one that has loaded everything: each start takes a tenth.

    process = await forked("serve", "--data", str(folder))   # as asyncio's own subprocesses are
    process.pid; await process.stdout.readline(); process.kill(); await process.communicate()

A nursery is started once for a process of tests, and ends with it. It never runs anything itself:
what it forks has memory, threads and files of its own, and dies by signals like any other. Who
starts a process holds a connection to the nursery, which tells how it ended; a process whose
connection is gone is killed. Tests of the program from its first line on use `server.started`.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import click

from search import languages
from tests.support.command_line import PROGRAM
from web.cli import main
from web.cli.program import COMMANDS

ROOT = Path(__file__).parents[2]
PIECE_BYTES = 64 * 1024


class Forked:
    """A process; `returncode` is None as long as it lives, and negative when a signal ended it."""

    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    def __init__(self, pid: int, told: asyncio.StreamReader, teller: asyncio.StreamWriter) -> None:
        self.pid, self._teller = pid, teller
        self.returncode: int | None = None
        self._ended = asyncio.create_task(self._hear(told), name=f"end of {pid}")

    async def _hear(self, told: asyncio.StreamReader) -> None:
        line = await told.readline()
        self.returncode = int(line) if line else -signal.SIGKILL
        self._teller.close()
        await self._teller.wait_closed()

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int | None:
        await asyncio.shield(self._ended)
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """What it says until its end."""
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err


async def forked(*words: str) -> Forked:
    """`groundswell` with these words, in this folder and environment."""
    clean = {name: value for name, value in os.environ.items() if "GROUNDSWELL" not in name}
    told = {"words": words, "environment": clean, "folder": str(Path.cwd())}
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    carrier = socket.socket(socket.AF_UNIX)
    carrier.connect(_nursery())
    socket.send_fds(carrier, [json.dumps(told).encode() + b"\n"], [out_end, err_end])
    os.close(out_end)
    os.close(err_end)
    reader, writer = await asyncio.open_unix_connection(sock=carrier)
    process = Forked(int(await reader.readline()), reader, writer)
    process.stdout, process.stderr = await _reading(out), await _reading(err)
    return process


async def _reading(fd: int) -> asyncio.StreamReader:
    reader, pipe = asyncio.StreamReader(), os.fdopen(fd, "rb", buffering=0)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
    return reader


@lru_cache(maxsize=1)
def _nursery() -> str:
    """The address of the one of this process."""
    address = str(Path(tempfile.mkdtemp(prefix="nursery-")) / "door")
    words = (*PROGRAM[:1], "-m", "tests.support.nursery", address)
    process = subprocess.Popen(words, stdin=PIPE, stdout=PIPE, cwd=ROOT)
    assert process.stdout is not None and process.stdout.readline() == b"open\n"
    atexit.register(process.kill)
    return address


# -- the nursery itself


class _Nursery:
    """`children`: pid -> who asked for it."""

    def __init__(self, address: str) -> None:
        self.children: dict[int, socket.socket] = {}
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(address)
        self.door.listen()
        self.selector = selectors.DefaultSelector()
        self.woken, self.waking = socket.socketpair()
        for one in (self.door, self.woken, sys.stdin):
            self.selector.register(one, selectors.EVENT_READ)
        self.waking.setblocking(False)
        signal.set_wakeup_fd(self.waking.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> list[str] | None:
        """Until who started it is gone; words in a child, which has to run them."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is sys.stdin:
                    return None
                if key.fileobj is self.door:
                    self.selector.register(self.door.accept()[0], selectors.EVENT_READ)
                elif key.fileobj is self.woken:
                    self.woken.recv(PIECE_BYTES)
                    self.bury()
                elif (words := self.hear(key.fileobj)) is not None:  # type: ignore[arg-type]
                    return words

    def hear(self, asker: socket.socket) -> list[str] | None:
        line, fds, *_ = socket.recv_fds(asker, PIECE_BYTES, 2)
        while line and not line.endswith(b"\n"):
            line += asker.recv(PIECE_BYTES)
        if not line:
            self.forget(asker)
            return None
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            self.become(told, fds)
            return list(told["words"])
        for fd in fds:
            os.close(fd)
        self.children[pid] = asker
        asker.sendall(b"%d\n" % pid)
        return None

    def become(self, told: dict[str, Any], fds: list[int]) -> None:
        """A process as the program begins, but for what it has loaded."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for one in (self.door, self.woken, self.waking, *self.children.values()):
            one.close()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, fd in enumerate(fds, 1):
            os.dup2(fd, number)
            os.close(fd)
        os.environ.clear()
        os.environ.update(told["environment"])
        os.chdir(told["folder"])

    def bury(self) -> None:
        """Tell how children have ended."""
        for pid, asker in list(self.children.items()):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                del self.children[pid]
                with suppress(OSError):
                    asker.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))

    def forget(self, asker: socket.socket) -> None:
        for pid, one in self.children.items():
            if one is asker:
                os.kill(pid, signal.SIGKILL)
        self.selector.unregister(asker)
        asker.close()


def _run() -> None:
    for name in COMMANDS:
        main.get_command(click.Context(main), name)
    languages.prepare()
    gc.freeze()  # so that all share it
    nursery = _Nursery(sys.argv[1])
    print("open", flush=True)
    words = nursery.run()
    if words is not None:
        main(words, prog_name="groundswell")


if __name__ == "__main__":
    _run()
