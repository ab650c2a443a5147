"""Pages of federated wikis, as JSON, with their journals.

    page   = title, story (items, each with an id and a type), journal (actions, oldest first)
    action = create | add | edit | move | remove | fork, with id, item, date, after, order, site

A journal does not say who, but where: what stands before a `fork` was done on the site that it
names, what comes after it here. So sites are authors. The story is what the page says; where the
journal leads elsewhere, the story is its last revision.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from wiki.errors import BadInput
from wiki.exchange.arrival import IMPORTER, Arrival, Author, Loss, Version
from wiki.exchange.as_markdown import fenced
from wiki.exchange.mediawiki import plain_title

MAX_BYTES: Final = 64 * 1024 * 1024
_OUTSIDE = re.compile(r"\[((?:https?|ftp)://[^\s\]]+)\s+([^\]]+)\]")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_MARKS = re.compile(r"</?(b|strong|i|em|code)\s*>", re.IGNORECASE)
_SIGNS: Final = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}
Item = Mapping[str, Any]


class Pages:
    """A page's file, a folder of such files, or an export (`{slug: page, …}`). `losses` are
    complete when all versions have been taken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.losses: list[Loss] = []

    def arrivals(self) -> Iterator[Arrival]:
        """Raises BadInput, which names the file, where that is the only one."""
        files = [self._path]
        if self._path.is_dir():
            files = sorted(one for one in self._path.iterdir() if one.is_file())
        for file in files:
            if file.name.startswith("."):
                continue
            try:
                told = self._read(file)
            except BadInput as error:
                if len(files) == 1:
                    raise
                self.losses.append((file.name, f"{error.why}; it is left out"))
                continue
            for slug, page in told.items():
                name = str(page.get("title") or slug)
                yield Arrival(name, plain_title(name), self._versions(name, page))

    def _read(self, file: Path) -> Mapping[str, Item]:
        try:
            if file.stat().st_size > MAX_BYTES:
                raise BadInput("page", f"{file.name} is over {MAX_BYTES:,} bytes")
            told = json.loads(file.read_bytes())
        except (ValueError, RecursionError) as error:
            raise BadInput("page", f"{file.name} is no JSON") from error
        if isinstance(told, dict) and isinstance(told.get("story"), list):
            return {file.stem: told}
        if isinstance(told, dict) and told and all(_is_page(one) for one in told.values()):
            return told
        raise BadInput("page", f"{file.name} is no page of a federated wiki, nor an export of one")

    def _versions(self, name: str, page: Item) -> Iterator[Version]:
        lost: list[str] = []
        journal = [one for one in page.get("journal") or () if isinstance(one, dict)]
        places = _places(journal)
        story: list[Item] = []
        last_ms, shown = 0, None
        for number, (action, place) in enumerate(zip(journal, places, strict=True)):
            story = _done(story, action)
            last_ms = _date(action) or last_ms
            before, shown = shown, _story(story, lost.append)
            if shown != before:
                author = Author(place, f"fedwiki {place}") if place else IMPORTER
                yield Version(author, last_ms, shown, f"fedwiki {number} {action.get('type')}")
        lost.clear()
        whole = _story([one for one in page["story"] if isinstance(one, dict)], lost.append)
        if whole != shown:
            if journal:
                lost.append("the journal does not lead to the story; the story is what counts")
            yield Version(IMPORTER, last_ms, whole, "fedwiki story")
        self.losses += [(name, what) for what in dict.fromkeys(lost)]


def _is_page(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("story"), list)


def _places(journal: Sequence[Item]) -> list[str]:
    """Of each action the site where it was done; "" for the one that the page comes from."""
    places: list[str] = []
    for number, action in enumerate(journal):
        if action.get("type") == "fork" and action.get("site"):
            places[:] = [place or str(action["site"]) for place in places]
        places.append("")
        assert len(places) == number + 1
    return places


def _done(story: Sequence[Item], action: Item) -> list[Item]:
    """The story after the action; one that does not fit changes nothing."""
    kind, item = action.get("type"), action.get("item")
    identity = action.get("id") or (item.get("id") if isinstance(item, dict) else None)
    ids = [one.get("id") for one in story]
    if kind == "create":
        born = item.get("story") if isinstance(item, dict) else None
        return [one for one in born or () if isinstance(one, dict)]
    if kind == "add" and isinstance(item, dict):
        after = ids.index(action["after"]) + 1 if action.get("after") in ids else None
        place = len(story) if after is None and not story else after or 0
        if action.get("after") not in ids and action.get("after"):
            place = len(story)
        return [*story[:place], item, *story[place:]]
    if kind == "edit" and isinstance(item, dict):
        if identity in ids:
            return [item if one.get("id") == identity else one for one in story]
        return [*story, item]
    if kind == "remove":
        return [one for one in story if one.get("id") != identity]
    if kind == "move" and isinstance(action.get("order"), list):
        order = {one: place for place, one in enumerate(action["order"])}
        return sorted(story, key=lambda one: order.get(one.get("id"), len(order)))
    return list(story)


def _story(items: Sequence[Item], lose: Any) -> str:
    shown = [_item(one, lose).strip("\n") for one in items]
    whole = "\n\n".join(one for one in shown if one)
    return f"{whole}\n" if whole else ""


def _item(item: Item, lose: Any) -> str:
    kind, raw = str(item.get("type") or "paragraph"), str(item.get("text") or "")
    if kind in ("paragraph", "markdown"):
        return _prose(raw, lose)
    if kind == "html":
        lose("HTML is shown as text without its tags")
        return _prose(html.unescape(_TAG.sub("", _MARKS.sub(_mark, raw))), lose)
    if kind == "code":
        return fenced(raw)
    if kind == "pagefold":
        return f"---\n\n**{raw}**" if raw.strip(" .") else "---"
    if kind == "reference":
        title, site = str(item.get("title") or ""), str(item.get("site") or "")
        lines = f"[[{plain_title(title)}]] ({site}): {raw}".splitlines()
        return "\n".join(f"> {line}" for line in lines)
    if kind == "image":
        url, caption = (
            str(item.get("url") or ""),
            " ".join((raw or str(item.get("caption") or "")).split()),
        )
        if url.startswith(("http://", "https://")):
            return f"![{caption.replace(']', '')}]({url})"
        lose("pictures inside of a page are left out; their captions stay")
        return f"*[{caption}]*" if caption else ""
    lose(f"items of the kind {kind} are shown as they are stored")
    return fenced(json.dumps(item, ensure_ascii=False, indent=1, sort_keys=True), "json")


def _mark(found: re.Match[str]) -> str:
    return _SIGNS[found[1].lower()]


def _prose(raw: str, lose: Any) -> str:
    linked = _OUTSIDE.sub(lambda found: f"[{found[2]}]({found[1]})", raw)
    marked = _MARKS.sub(_mark, linked)
    if _TAG.search(marked):
        lose("HTML in it is shown as text")
    return marked


def _date(action: Item) -> int:
    found = action.get("date")
    return int(found) if isinstance(found, int | float) and found > 0 else 0
