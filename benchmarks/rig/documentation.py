"""A documentation corpus as pages: what a folder or a git directory of Markdown holds, with the old
names that it keeps itself.

Nothing of it is ours to keep: a corpus is read where it lies. Languages are told by the address
(`content/ja/…`, `pages.pt_BR/…`), else by the name of the corpus (`manual.it-it`, `manual-cn`);
titles by the front matter or the first heading.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_CODES = (
    "ar bg bn bs ca cs da de el en es fa fi fr he hi hu id it ja ko lo ml nb ne nl no pl pt ro ru "
    "sr sv ta th tr uk uz vi zh"
)
LANGUAGES = frozenset(_CODES.split())
LONGEST_TEXT = 200_000
LONGEST_TITLE = 120
_SUFFIXES = (".md", ".mdx")
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^#\s+(.+?)\s*#*\s*$", re.MULTILINE)
_SHOWN_TITLE = re.compile(r"^title:\s*(\S.*?)\s*$", re.MULTILINE)
_ALIASES = re.compile(r"^aliases:\s*(\[[^\]]*\]|(?:\n\s*-\s*\S+)+)", re.MULTILINE)
_SLUG = re.compile(r"^slug:\s*(\S+)\s*$", re.MULTILINE)
_CHANGED_TITLE = re.compile(r"^-(?:title:|#)\s+(.+?)\s*$")


@dataclass(frozen=True, slots=True)
class Source:
    """`path`: in its corpus. `address`: how its own site links to it, without the language."""

    corpus: str
    path: str
    address: str
    language: str
    title: str
    text: str
    old_addresses: tuple[str, ...] = ()
    old_titles: tuple[str, ...] = ()


def read(folder: Path) -> list[Source]:
    """The pages of one corpus in the order of their paths; old titles only when there is git."""
    git = _git_of(folder)
    files = dict(_of_git(git) if git else _of_folder(folder))
    moved = _redirects(files)
    titles = old_titles(git, files) if git else {}
    name = (git.parent if git and git.name == ".git" else folder).resolve()
    corpus = name.parent.name if name.name == "repo" else name.name
    found = (
        _source(corpus, path, text, moved, titles.get(path, ()))
        for path, text in sorted(files.items())
        if path.endswith(_SUFFIXES)
    )
    return [one for one in found if one is not None]


def _source(
    corpus: str, path: str, raw: str, moved: dict[str, list[str]], titles: Iterable[str]
) -> Source | None:
    front = _FRONT_MATTER.match(raw)
    head, text = (front[1], raw[front.end() :]) if front else ("", raw)
    named = _SHOWN_TITLE.search(head) or _HEADING.search(text)
    title = plain(named[1]) if named else ""
    if not title or "{{" in title or not text.strip():
        return None
    slug = _SLUG.search(head)
    address = slug[1] if slug else _address(path)
    aliases = _ALIASES.search(head)
    old = [one.strip(" '\"") for one in re.split(r"[\[\],\n]|\s-\s", aliases[1])] if aliases else []
    return Source(
        corpus,
        path,
        address,
        language_of(path, corpus),
        title[:LONGEST_TITLE],
        text[:LONGEST_TEXT],
        tuple(one for one in (*old, *moved.get(address.casefold(), ())) if one),
        tuple(one for one in titles if one != title),
    )


def plain(title: str) -> str:
    """A title without the marks that its file needs or that a wiki's link is made of."""
    if title[:1] in "'\"" and title[-1:] == title[:1]:
        title = title[1:-1].replace('\\"', '"').replace("''", "'")
    return " ".join(re.sub(r"[`*]|\s*\{\s*#[^}]*\}|<[^>]+>|[\[\]|\x00-\x1f]", "", title).split())


def language_of(path: str, corpus: str = "") -> str:
    """By the first folder that is named after a language (`ja`, `zh-CN`, `pages.pt_BR`), else by
    the end of the corpus's name (`manual.it-it`, `manual-cn`)."""
    for part in PurePosixPath(path).parts[:-1]:
        code = re.split(r"[-_]", part.rpartition(".")[2].lower())[0]
        if code in LANGUAGES and len(part.rpartition(".")[2]) in (2, 5):
            return code
    last = re.split(r"[.-]", corpus.lower())[-1]
    return "zh" if last == "cn" else last if last in LANGUAGES else "en"


def _address(path: str) -> str:
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if parts[-1] in ("index", "_index", "README"):
        parts.pop()
    return "/".join(parts)


def _redirects(files: dict[str, str]) -> dict[str, list[str]]:
    """Address, folded → the addresses that lead to it (`_redirects.txt`: old, tab, new)."""
    moved: dict[str, list[str]] = {}
    for path, text in files.items():
        if path.endswith("_redirects.txt"):
            for line in text.splitlines():
                old, _, new = line.partition("\t")
                found = re.match(r"/[\w-]+/docs/([^#]+)\s*$", new)
                if found and not line.startswith("#"):
                    old = re.sub(r"^/[\w-]+/docs/", "", old)
                    moved.setdefault(found[1].casefold(), []).append(old)
    return moved


def _git_of(folder: Path) -> Path | None:
    inside = folder / ".git"
    if inside.is_dir():
        return inside
    return folder if (folder / "HEAD").is_file() and (folder / "objects").is_dir() else None


def _of_folder(folder: Path) -> Iterator[tuple[str, str]]:
    for file in folder.rglob("*"):
        path = file.relative_to(folder).as_posix()
        if _is_wanted(path) and file.is_file():
            yield path, file.read_text(encoding="utf-8", errors="replace")


def _of_git(git: Path) -> Iterator[tuple[str, str]]:
    listed = _git(git, "ls-tree", "-r", "-z", "HEAD").split("\0")
    entries = [line.split("\t", 1) for line in listed if line]
    blobs = [(head.split()[2], path) for head, path in entries if _is_wanted(path)]
    asked = "".join(f"{blob}\n" for blob, _ in blobs).encode()
    command = ("git", f"--git-dir={git}", "cat-file", "--batch")
    answer = subprocess.run(command, input=asked, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for _, path in blobs:
        end = answer.index(b"\n", at)
        head = answer[at:end].split()
        if len(head) != 3:  # an object that this copy lacks
            at = end + 1
            continue
        length = int(head[2])
        yield path, answer[end + 1 : end + 1 + length].decode("utf-8", "replace")
        at = end + 2 + length


def _is_wanted(path: str) -> bool:
    if any(part.startswith(".") or part in ("vendor", "node_modules") for part in path.split("/")):
        return False
    return path.endswith((*_SUFFIXES, "_redirects.txt"))


def old_titles(git: Path, files: dict[str, str]) -> dict[str, list[str]]:
    """Path today → titles that the page once had, newest first, through its renames."""
    shown = _git(
        git,
        *("log", "-p", "-U0", "--format=", "-M", "--diff-filter=MR", "-G^(title:|# )"),
        *("HEAD", "--", "*.md", "*.mdx"),
    )
    today: dict[str, str] = {}  # a path of that time → the path now
    titles: dict[str, list[str]] = {}
    before = path = ""
    for line in shown.splitlines():
        if line.startswith("rename from "):
            before = line.removeprefix("rename from ")
        elif line.startswith("rename to "):
            after = line.removeprefix("rename to ")
            today[before] = today.get(after, after)
        elif line.startswith("+++ b/"):
            path = line.removeprefix("+++ b/")
            path = today.get(path, path)
        elif path in files and (found := _CHANGED_TITLE.match(line)):
            title = plain(found[1])
            if title and title not in titles.setdefault(path, []):
                titles[path].append(title)
    return titles


def _git(git: Path, *words: str) -> str:
    """What git says; a copy without all of its history says what it has."""
    command = ("git", "-c", "core.quotePath=false", f"--git-dir={git}", *words)
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode and not done.stdout:
        raise RuntimeError(done.stderr.decode(errors="replace").strip())
    return done.stdout.decode("utf-8", "replace")
