"""What the sync benchmark measures: our server, the peers, and the generator's own ceiling.

A target makes a fresh server in a folder and says where its rooms are. The peers run as their own
guides set them up (benchmarks/peers); the packages they need are installed at first use, as locked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig.process import ROOT, Server, groundswell, module
from benchmarks.rig.site import blank, filled
from benchmarks.rig.strokes import EMPTY_VECTOR
from sync.protocol import var_bytes

PEERS = ROOT / "benchmarks" / "peers"
SEATS_OF_ONE = 60  # of our server; the setting limits.sockets_per_person is 64
_STATES = (b"\0\1", b"\4\1")  # y-protocols: sync, step 2; of Hocuspocus also "sync reply"
_UPDATES = (b"\0\2", b"\4\2")


@dataclass(frozen=True, slots=True)
class Place:
    """A room. `path(n)`: where its n-th connection goes; `hello`: messages to begin with;
    `prefix`: what stands before every message."""

    path: Callable[[int], str]
    hello: tuple[bytes, ...]
    prefix: bytes = b""

    def update(self, update: bytes) -> bytes:
        return self.prefix + _UPDATES[0] + var_bytes(update)

    def presence(self, payload: bytes) -> bytes:
        return self.prefix + b"\x01" + var_bytes(payload)

    def is_state(self, message: bytes) -> bool:
        """Whether it answers our sync step 1."""
        at = len(self.prefix)
        return message[at : at + 2] in _STATES

    def brings(self, message: bytes) -> int | None:
        """Where the update in it begins (its length first), if there is one."""
        at = len(self.prefix)
        kind = message[at : at + 2]
        return at + 2 if kind in _STATES or kind in _UPDATES else None


@dataclass
class Target:
    """`keeps` asks the peer to store pages, where that is not its default."""

    name: str
    answers = True  # our sync step 1

    async def server(
        self, folder: Path, rooms: int, connections: int, *, keeps: bool
    ) -> tuple[Server, list[Place]]:
        """A server that is yet to be started, and its rooms."""
        raise NotImplementedError

    def is_there(self) -> bool:
        """Installs what it needs; False, having said why, when that cannot be."""
        return True


class Groundswell(Target):
    """Always durable."""

    async def server(
        self, folder: Path, rooms: int, connections: int, *, keeps: bool
    ) -> tuple[Server, list[Place]]:
        people = 1 + connections // SEATS_OF_ONE + 1
        site = await filled(folder, people_count=people, drafts=blank(rooms))
        numbers = iter(range(10**9))  # seats are counted over all rooms

        def place(page_id: str) -> Place:
            def path(_: int) -> str:
                token = site.tokens[1 + next(numbers) // SEATS_OF_ONE % (people - 1)]
                return f"/sync/{page_id}?acks=1&token={token}"

            return Place(path, (_hello(),))

        return groundswell(folder), [place(page_id) for page_id in site.page_ids]


class Hocuspocus(Target):
    """With its SQLite extension, which stores a page two to ten seconds after it changed."""

    async def server(
        self, folder: Path, rooms: int, connections: int, *, keeps: bool
    ) -> tuple[Server, list[Place]]:
        server = Server(self.name, ("node", str(PEERS / "hocuspocus.mjs"), str(folder)), folder)

        def place(number: int) -> Place:
            prefix = var_bytes(f"room-{number}".encode())
            token = b"\x02\x00" + var_bytes(b"token")
            return Place(lambda _: "/", (prefix + token, prefix + _hello()), prefix)

        return server, [place(number) for number in range(rooms)]

    def is_there(self) -> bool:
        return _has_node_packages(self.name)


class YWebsocket(Target):
    """In memory, as it starts by default; with LevelDB if it is to keep pages."""

    async def server(
        self, folder: Path, rooms: int, connections: int, *, keeps: bool
    ) -> tuple[Server, list[Place]]:
        kept = {"YPERSISTENCE": str(folder / "level")} if keeps else {}
        server = Server(self.name, ("node", str(PEERS / "y_websocket.mjs")), folder, kept)
        return server, _plain_rooms(rooms)

    def is_there(self) -> bool:
        return _has_node_packages(self.name)


class PycrdtWebsocket(Target):
    """In memory, as it starts by default; with its SQLite store if it is to keep pages."""

    async def server(
        self, folder: Path, rooms: int, connections: int, *, keeps: bool
    ) -> tuple[Server, list[Place]]:
        program = (str(self._python), str(PEERS / "pycrdt_websocket.py"))
        server = Server(self.name, (*program, *((str(folder),) if keeps else ())), folder)
        return server, _plain_rooms(rooms)

    @property
    def _python(self) -> Path:
        return PEERS / ".venv" / "bin" / "python"

    def is_there(self) -> bool:
        lock, stamp = PEERS / "requirements.lock", PEERS / ".venv" / ".installed"
        if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
            return True
        pip = (self._python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock)
        done = _installed(self.name, sys.executable, "-m", "venv", PEERS / ".venv")
        if done := done and _installed(self.name, *pip):
            shutil.copyfile(lock, stamp)
        return done


class Ceiling(Target):
    """What the generator can take at most: `rig.fanout`."""

    answers = False

    async def server(
        self, folder: Path, rooms: int, connections: int, *, keeps: bool
    ) -> tuple[Server, list[Place]]:
        return module(self.name, "fanout", folder), _plain_rooms(rooms)


OURS = Groundswell("groundswell")
PEER_TARGETS = (
    Hocuspocus("hocuspocus"),
    YWebsocket("y-websocket"),
    PycrdtWebsocket("pycrdt-websocket"),
)
CEILING = Ceiling("(fan-out alone)")


def _hello() -> bytes:
    return b"\0\0" + var_bytes(EMPTY_VECTOR)


def _plain_rooms(count: int) -> list[Place]:
    def place(number: int) -> Place:
        return Place(lambda _: f"/room-{number}", (_hello(),))

    return [place(number) for number in range(count)]


def _has_node_packages(name: str) -> bool:
    lock, made = PEERS / "package-lock.json", PEERS / "node_modules" / ".package-lock.json"
    if made.exists() and made.stat().st_mtime >= lock.stat().st_mtime:
        return True
    return _installed(name, "npm", "ci", "--silent", "--no-audit", "--no-fund")


def _installed(name: str, *command: str | Path) -> bool:
    print(f"Installing what {name} needs (once) ...", file=sys.stderr)
    try:
        subprocess.run(command, cwd=PEERS, check=True, stdout=sys.stderr, env=os.environ)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return False
    return True
