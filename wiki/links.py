"""What links where. `follow` is a follower of "pages as they are": it keeps the `link` table true.

    [[Title]]   [[Title|label]]   [[space/Title]]   [[space/Title|label]]

A link names a title; what it leads to is found by the slug of it, old addresses included, so that
links outlive renames. Code spans and fenced code are not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, select
from sqlalchemy import text as sql

from wiki import log, page
from wiki.errors import Damaged
from wiki.names import slugify
from wiki.page import Page
from wiki.store import edition
from wiki.store.tables import link as table
from wiki.store.tables import page as pages
from wiki.store.tables import space

logger = structlog.get_logger(__name__)

FOLLOWER = "links"
MAX_LINKS = 2000  # of one page
_LINK = re.compile(r"\[\[([^\[\]|\n]{1,300})(?:\|([^\[\]|\n]{1,300}))?\]\]")
# Of addresses as JSON, [space, page] each: first who had them, then who has them.
_RESOLVED = sql(
    "WITH wanted AS MATERIALIZED (SELECT space.id AS space_id, space.slug AS space_slug,"
    " json_extract(value, '$[1]') AS slug FROM json_each(:addresses)"
    " JOIN space ON space.slug = json_extract(value, '$[0]'))"
    " SELECT space_slug, wanted.slug, page_id, 0 AS is_now FROM wanted CROSS JOIN alias"
    " ON alias.space_id = wanted.space_id AND alias.slug = wanted.slug"
    " UNION ALL SELECT space_slug, wanted.slug, page.id, 1 FROM wanted CROSS JOIN page"
    " ON page.space_id = wanted.space_id AND page.slug = wanted.slug ORDER BY is_now"
)
_BACKLINKS = sql(
    "SELECT link.page_id FROM space CROSS JOIN link"
    " ON link.space_slug = space.slug AND link.slug = :at_slug WHERE space.id = :home"
    " UNION SELECT link.page_id FROM alias CROSS JOIN space ON space.id = alias.space_id"
    " CROSS JOIN link ON link.space_slug = space.slug AND link.slug = alias.slug"
    " WHERE alias.page_id = :id"
)
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_TICKS = re.compile(r"`+")


@dataclass(frozen=True, slots=True)
class Target:
    """What stands in the brackets. `space_slug` None: the space of the page."""

    space_slug: str | None
    title: str
    label: str | None = None

    @property
    def slug(self) -> str:
        return slugify(self.title)


def target_of(inside: str, label: str | None = None) -> Target:
    """`space/Title` or `Title`. In a table the bar is written `\\|`, or it would end the cell."""
    inside = inside.removesuffix("\\") if label else inside
    head, slash, rest = inside.partition("/")
    label = label.strip() if label and label.strip() else None
    if slash and rest.strip() and head.strip() and slugify(head) == head.strip():
        return Target(head.strip(), rest.strip(), label)
    return Target(None, inside.strip(), label)


def wiki_links(markdown: str) -> list[Target]:
    """In the order they stand, each once."""
    prose = _without_spans(_without_fences(markdown))
    found = (target_of(m.group(1), m.group(2)) for m in _LINK.finditer(prose))
    return list(dict.fromkeys(one for one in found if one.title))[:MAX_LINKS]


def _without_fences(markdown: str) -> str:
    """Fenced code left out (CommonMark §4.5), in one pass: people choose how many marks to type."""
    kept: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        if fence:
            body = line.strip(" \t")
            is_end = len(body) >= len(fence) and not body.strip(fence[0])
            if is_end and len(line) - len(line.lstrip(" ")) < 4:
                fence = ""
            continue
        found = _FENCE.match(line)
        if found:
            fence = found[1]
        kept.append("" if found else line)
    return "\n".join(kept)


def _without_spans(markdown: str) -> str:
    """Code spans left out (CommonMark §6.1): from a run of ticks to the next of the same length."""
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(markdown)]
    later: dict[int, list[int]] = {}  # length -> where such runs begin, the next one last
    for start, end in reversed(runs):
        later.setdefault(end - start, []).append(start)
    kept: list[str] = []
    at = 0
    for start, end in runs:
        same = later[end - start]
        same.pop()
        if start < at or not same:
            continue
        kept += [markdown[at:start], " "]
        at = same[-1] + end - start
    return "".join([*kept, markdown[at:]])


def backlinks(conn: Connection, target: Page, space_ids: Collection[str]) -> list[Page]:
    """Pages of the given spaces that link to `target`, by title."""
    at = {"home": target.space_id, "at_slug": target.slug, "id": target.id}
    found = page.several(conn, list(conn.scalars(_BACKLINKS, at))).values()
    seen = (one for one in found if one.space_id in space_ids and one.id != target.id)
    return sorted((one for one in seen if not one.is_archived), key=lambda one: one.title)


def resolve_many(
    conn: Connection, own_space_slug: str, targets: Iterable[Target]
) -> dict[Target, Page | None]:
    """The page that each target leads to, None where there is none yet. Rights are not asked."""
    wanted = {target: (target.space_slug or own_space_slug, target.slug) for target in targets}
    if not wanted:
        return {}
    addresses = {"addresses": json.dumps(list(set(wanted.values())))}
    found = {(row.space_slug, row.slug): row.page_id for row in conn.execute(_RESOLVED, addresses)}
    known = page.several(conn, list(found.values()))
    return {target: known.get(found.get(at, "")) for target, at in wanted.items()}


def is_behind(conn: Connection) -> bool:
    """Whether pages changed since the follower looked."""
    return log.follower_position(conn, FOLLOWER) < page.last_change(conn)


@dataclass(frozen=True, slots=True)
class Found:
    """What pages that changed link to: page id -> (space slug, slug) of each link. `reached` is how
    far the changes were looked at."""

    links: dict[str, set[tuple[str, str]]]
    reached: int
    count: int
    is_more: bool


def found(conn: Connection, limit: int = 200) -> Found:
    """Look at the pages that changed since last time."""
    changed = page.changed_since(conn, log.follower_position(conn, FOLLOWER), limit)
    own = {row.id: row.slug for row in conn.execute(select(space.c.id, space.c.slug))}
    links: dict[str, set[tuple[str, str]]] = {}
    for one in changed:
        try:
            targets = wiki_links(page.text(conn, one.id, one.change))
        except Damaged as error:  # its links stay as they were; the others are not to wait for it
            logger.error("links.skipped", page=one.id, error=str(error))
        else:
            links[one.id] = {(to.space_slug or own[one.space_id], to.slug) for to in targets}
    # Counted numbers may be gone with deleted pages: then the counter itself is where we are.
    is_more = len(changed) == limit
    reached = changed[-1].change if is_more else page.last_change(conn)
    return Found(links, reached, len(changed), is_more)


def keep(conn: Connection, found: Found) -> None:
    """Make the table say what was found; pages that are gone meanwhile are passed over."""
    is_known = table.c.page_id.in_(found.links)
    had: dict[str, set[tuple[str, str]]] = {}
    for row in conn.execute(select(table).where(is_known)):
        had.setdefault(row.page_id, set()).add((row.space_slug, row.slug))
    changed = [page_id for page_id, new in found.links.items() if had.get(page_id, set()) != new]
    if not changed:
        edition.same(conn)
    there = conn.scalars(select(pages.c.id).where(pages.c.id.in_(changed))).all() if changed else ()
    for page_id in there:
        conn.execute(table.delete().where(table.c.page_id == page_id))
        if rows := sorted(found.links[page_id]):
            values = [{"page_id": page_id, "space_slug": at[0], "slug": at[1]} for at in rows]
            conn.execute(table.insert(), values)
    log.set_follower_position(conn, FOLLOWER, found.reached)


def follow(conn: Connection, limit: int = 200) -> int:
    """`found` and `keep` in one transaction; how many pages had changed."""
    seen = found(conn, limit)
    keep(conn, seen)
    return seen.count
