"""A git repository of Markdown, with its history: which revisions each of its files had.

Commits are taken so that a branch comes just before the commit that merged it (depth first, first
parents first). A commit of the main line then has exactly its ancestors before it, and says what
the text is. One of a branch is a change to what it began with: it is merged into the text as it is
by then, as if both had been typed at the same time; the words get their authors, and the merge,
which is of the main line, has the last word.

A file that is renamed stays the same page: one that went and one that came in the same commit,
equal, or with half of their lines in common.
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from dulwich.diff_tree import tree_changes
from dulwich.errors import NotGitRepository
from dulwich.objects import Blob, Commit, ObjectID, Tree, TreeEntry
from dulwich.refs import Ref
from dulwich.repo import Repo

from wiki.attachment import MAX_BYTES
from wiki.errors import BadInput
from wiki.exchange.arrival import Author, Loss
from wiki.exchange.folder_files import SUFFIXES

ALIKE: Final = 0.5  # of the lines of the longer one: what git takes for a rename, too
MAX_PAIRS: Final = 400  # that are compared in one commit
Seen = Callable[[int, int | None], None]


class Event(NamedTuple):
    """A commit made `new` of the file's `old`. `is_main`: it says what the text is."""

    commit: ObjectID
    old: ObjectID | None
    new: ObjectID
    is_main: bool
    is_merge: bool


@dataclass
class Source:
    """`files`: path of each page's file now -> what happened to it, in order."""

    repo: Repo
    tree: ObjectID | None = None  # of the folder that is looked at, as it is now
    commits: int = 0
    files: dict[str, list[Event]] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def data(self, blob: ObjectID) -> bytes:
        found = self.repo[blob]
        return found.data if isinstance(found, Blob) else b""

    def author(self, commit: ObjectID) -> tuple[Author, int]:
        """Who wrote it, and when, in milliseconds."""
        found = self.repo[commit]
        assert isinstance(found, Commit)
        name, _, rest = found.author.decode("utf-8", "replace").partition("<")
        return Author(name.strip(), rest.partition(">")[0].strip()), found.author_time * 1000

    def check_out(self, folder: Path) -> None:
        """Write the files as they are now into `folder`, but for those that nobody could use."""
        assert self.tree is not None
        for entry in self.repo.object_store.iter_tree_contents(self.tree):
            path = _plain(entry.path or b"")
            if not path or entry.sha is None or not stat.S_ISREG(entry.mode or 0):
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.data(entry.sha)[: MAX_BYTES + 1])


def is_repository(folder: Path) -> bool:
    return (folder / ".git").exists() or (
        (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    )


def opened(folder: Path, branch: str | None, under: str, seen: Seen) -> Source:
    """What the history of `branch` (None: the one that is checked out) says of the Markdown files
    in the folder `under` of it. Raises BadInput."""
    try:
        repo = Repo(str(folder))
        names = [f"refs/{kind}/{branch}" for kind in ("heads", "remotes/origin", "tags")]
        refs = [Ref(name.encode()) for name in (names if branch else ["HEAD"])]
        head = next((repo.refs[ref] for ref in refs if ref in repo.refs), None)
    except (NotGitRepository, OSError) as error:
        raise BadInput("repository", f"{folder} is no git repository") from error
    if head is None:
        raise BadInput("branch", f"there is none called {branch or 'HEAD'} in {folder}")
    source = Source(repo)
    _Reader(source, under.strip("/")).read(head, seen)
    return source


class _Reader:
    """Follows all files through all commits; in the end those of `under` count."""

    def __init__(self, source: Source, under: str) -> None:
        self._source, self._repo, self._under = source, source.repo, under
        self._pages: dict[str, list[Event]] = {}  # path, as it is or was last -> its events
        self._moved: dict[str, str] = {}

    def read(self, head: ObjectID, seen: Seen) -> None:
        order, main = self._order(head)
        for number, sha in enumerate(order, 1):
            self._follow(sha, is_main=sha in main)
            if number % 100 == 0 or number == len(order):
                seen(number, len(order))
        self._source.commits = len(order)
        self._source.tree = tree = self._folder(head)
        inside = f"{self._under}/" if self._under else ""
        entries = self._repo.object_store.iter_tree_contents(tree)
        here = {inside + found[0] for entry in entries if (found := _file(entry))}
        told = "it was deleted in the repository; it is left out"
        gone = sorted(path for path in self._pages.keys() - here if path.startswith(inside))
        self._source.losses += [(path.removeprefix(inside), told) for path in gone]
        kept = {path: self._pages[path] for path in sorted(here & self._pages.keys())}
        self._source.files = {path.removeprefix(inside): one for path, one in kept.items()}

    def _order(self, head: ObjectID) -> tuple[list[ObjectID], set[ObjectID]]:
        """All commits, each after its parents; and those of the main line."""
        order: list[ObjectID] = []
        main, done = set[ObjectID](), set[ObjectID]()
        sha: ObjectID | None = head
        while sha is not None:
            main.add(sha)
            sha = next(iter(self._parents(sha)), None)
        stack: list[tuple[ObjectID, Iterator[ObjectID]]] = [(head, iter(self._parents(head)))]
        started = {head}
        while stack:
            sha, parents = stack[-1]
            parent = next((one for one in parents if one not in started), None)
            if parent is not None:
                started.add(parent)
                stack.append((parent, iter(self._parents(parent))))
            else:
                stack.pop()
                done.add(sha)
                order.append(sha)
        return order, main

    def _commit(self, sha: ObjectID) -> Commit:
        found = self._repo[sha]
        assert isinstance(found, Commit)
        return found

    def _parents(self, sha: ObjectID) -> list[ObjectID]:
        """Those that are there: a shallow clone ends somewhere."""
        parents = self._commit(sha).parents
        here = [one for one in parents if one in self._repo.object_store]
        if len(here) < len(parents) and not self._source.losses:
            told = "the repository is a shallow clone; what was before is not in it"
            self._source.losses.append(("history", told))
        return here

    def _tree(self, sha: ObjectID) -> ObjectID:
        """Of the whole repository: pages may have been elsewhere once."""
        return ObjectID(self._commit(sha).tree)

    def _folder(self, sha: ObjectID) -> ObjectID:
        """The tree of the folder that is asked for. Raises BadInput."""
        tree = self._tree(sha)
        for name in filter(None, self._under.split("/")):
            found = self._repo[tree]
            if not isinstance(found, Tree) or name.encode() not in found:
                raise BadInput("under", f"there is no folder {self._under} in the repository")
            tree = ObjectID(found[name.encode()][1])
        return tree

    def _follow(self, sha: ObjectID, *, is_main: bool) -> None:
        parents = self._parents(sha)
        if len(parents) > 1 and not is_main:
            return  # what it brings together has come already, each change by its own commit
        before, after = self._tree(parents[0]) if parents else None, self._tree(sha)
        if before == after:
            return
        gone, come = dict[str, ObjectID](), dict[str, tuple[ObjectID | None, ObjectID]]()
        for change in tree_changes(self._repo.object_store, before, after):
            old, new = _file(change.old), _file(change.new)
            if new is not None:
                is_same = old is not None and old[0] == new[0]
                come[new[0]] = (old[1] if old and is_same else None, new[1])
            elif old is not None:
                gone[old[0]] = old[1]
        come |= self._renamed(gone, come)
        for path, (was, is_now) in come.items():
            event = Event(sha, was, is_now, is_main, len(parents) > 1)
            self._pages.setdefault(self._called(path), []).append(event)

    def _called(self, path: str) -> str:
        """What it is called by now, if it was renamed elsewhere meanwhile."""
        for _ in range(50):
            if path in self._pages or path not in self._moved:
                break
            path = self._moved[path]
        return path

    def _renamed(
        self, gone: dict[str, ObjectID], come: dict[str, tuple[ObjectID | None, ObjectID]]
    ) -> dict[str, tuple[ObjectID | None, ObjectID]]:
        """Of `come`, what was called otherwise before, with what it was."""
        old = {path: sha for path, sha in gone.items() if path in self._pages}
        new = {p: sha for p, (was, sha) in come.items() if was is None and p not in self._pages}
        found: dict[str, tuple[ObjectID | None, ObjectID]] = {}
        for before, after in self._pairs(old, new):
            found[after] = (old.pop(before), new.pop(after))
            self._pages[after] = self._pages.pop(before)
            self._moved[before] = after
        return found

    def _pairs(
        self, old: dict[str, ObjectID], new: dict[str, ObjectID]
    ) -> Iterator[tuple[str, str]]:
        """Equal ones first, then those called alike, then any, if they are not too many."""

        def pairs(is_likely: Callable[[str, str], bool]) -> list[tuple[str, str]]:
            return [(a, b) for b in new for a in old if is_likely(a, b)]

        def is_alike(a: str, b: str) -> bool:
            return self._alike(old[a], new[b]) >= ALIKE

        for a, b in pairs(lambda a, b: old[a] == new[b]):
            if a in old and b in new:
                yield a, b
        for a, b in pairs(lambda a, b: PurePosixPath(a).name == PurePosixPath(b).name):
            if a in old and b in new and is_alike(a, b):
                yield a, b
        if len(old) * len(new) <= MAX_PAIRS:
            for a, b in pairs(lambda a, b: True):
                if a in old and b in new and is_alike(a, b):
                    yield a, b

    def _alike(self, old: ObjectID, new: ObjectID) -> float:
        """How many lines they have in common, of those of the longer one."""
        before = Counter(self._source.data(old).splitlines())
        after = Counter(self._source.data(new).splitlines())
        return (before & after).total() / max(before.total(), after.total(), 1)


def _file(entry: TreeEntry | None) -> tuple[str, ObjectID] | None:
    """Path and blob of a Markdown file; None for anything else."""
    if entry is None or entry.path is None or entry.sha is None or entry.mode is None:
        return None
    path = _plain(entry.path)
    is_page = path.lower().endswith(SUFFIXES) and stat.S_ISREG(entry.mode)
    return (path, entry.sha) if is_page else None


def _plain(path: bytes) -> str:
    """The path, or "" for one that is hidden or that no file here may have."""
    try:
        shown = path.decode()
    except UnicodeDecodeError:
        return ""
    parts = shown.split("/")
    is_plain = all(part and not part.startswith(".") and "\0" not in part for part in parts)
    return shown if is_plain and "node_modules" not in parts else ""
