"""Folders of the newest tree, and newest contents, on which the next ones build."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from typing import NamedTuple

from wiki.exchange import git_objects
from wiki.exchange.git_objects import Leaf


class Folder:
    """Names and what they stand for, in the order of a tree object."""

    def __init__(self) -> None:
        self._leaves: dict[str, Leaf] = {}
        self._keys: list[bytes] = []
        self._lines: list[bytes] = []

    def get(self, name: str) -> Leaf | None:
        return self._leaves.get(name)

    def put(self, name: str, leaf: Leaf | None) -> None:
        """`name` stands for `leaf` now, or for nothing."""
        if old := self._leaves.pop(name, None):
            at = bisect_left(self._keys, git_objects.tree_key(name, old))
            del self._keys[at], self._lines[at]
        if leaf is not None:
            key = git_objects.tree_key(name, leaf)
            at = bisect_left(self._keys, key)
            self._keys.insert(at, key)
            self._lines.insert(at, git_objects.tree([(name, leaf)]))
            self._leaves[name] = leaf

    def data(self) -> bytes:
        """The tree object."""
        return b"".join(self._lines)


class Content(NamedTuple):
    """An object; `depth` others lie below it, each built on the next."""

    oid: bytes
    data: bytes
    depth: int


class Kept:
    """Newest contents by path, those used last, of at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._contents: OrderedDict[str, Content] = OrderedDict()

    def __contains__(self, path: str) -> bool:
        return path in self._contents

    def pop(self, path: str) -> Content | None:
        found = self._contents.pop(path, None)
        self._bytes -= len(found.data) if found else 0
        return found

    def keep(self, path: str, content: Content) -> None:
        self.pop(path)
        self._contents[path] = content
        self._bytes += len(content.data)
        while self._bytes > self._max_bytes:
            self.pop(next(iter(self._contents)))
