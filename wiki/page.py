"""Pages as they are now: made, found, listed. What changes one that exists is a fact (`fact`) or
text (`journal`); both call `touch`, so that followers of "pages as they are" see it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Executable,
    Integer,
    Row,
    String,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.sqlite import insert as upsert

from wiki import journal, log
from wiki import text as texts
from wiki.access import Role, SpaceAccess
from wiki.errors import BadInput, NameTaken, NotFound
from wiki.key import SiteKey
from wiki.names import MAX_SLUG_CHARS, check_title, slugify
from wiki.record import Part, canonical
from wiki.store.prepared import Prepared, PreparedRows
from wiki.store.tables import alias, page_tag, setting
from wiki.store.tables import page as table
from wiki.store.tables import space as spaces
from wiki.store.texts import Texts

KINDS = ("idea", "note", "post", "episode", "question", "profile")
LANGUAGES = {  # ISO 639-1, with their own names; others are told from the text, too
    "da": "Dansk", "de": "Deutsch", "en": "English", "es": "Español", "fi": "Suomi",
    "fr": "Français", "it": "Italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands",
    "no": "Norsk", "pl": "Polski", "pt": "Português", "ru": "Русский", "sv": "Svenska",
    "uk": "Українська", "zh": "中文",
}  # fmt: skip
MAX_TAGS = 20
MAX_TAG_CHARS = 40
_CHANGE = "change"
_COUNT_UP = Prepared(
    upsert(setting)
    .values(name=bindparam("name"), value=bindparam("first"))
    .on_conflict_do_update(
        index_elements=["name"],
        set_={"value": cast(cast(setting.c.value, Integer) + bindparam("count"), String)},
    )
    .returning(setting.c.value)
)
_LAST = select(setting.c.value).where(setting.c.name == _CHANGE)
_IS_NEWER = "(NOT column5 OR column3 >= modified_at_ms)"  # of `Touch`, with its number before last
_TOUCH = PreparedRows(
    f"UPDATE page SET modified_by = iif({_IS_NEWER}, column2, modified_by),"
    f" modified_at_ms = iif({_IS_NEWER}, column3, modified_at_ms), change = column4"
    " FROM (VALUES ?) WHERE page.id = column1",
    5,
)
COLUMNS = ", ".join(f"page.{column.name}" for column in table.columns)
_SEVERAL = sql(
    f"SELECT {COLUMNS} FROM page WHERE id IN (SELECT value FROM json_each(:ids))"
).columns(*table.columns)
_TAGS = sql(
    "SELECT page_id, tag FROM page_tag WHERE page_id IN (SELECT value FROM json_each(:ids))"
    " ORDER BY tag"
)
# Each space gives its newest, which its index has in that order; only these are sorted.
_AT = select(table).where(
    table.c.space_id == bindparam("in_space"), table.c.slug == bindparam("at_slug")
)
_FORMERLY_AT = select(alias.c.page_id).where(
    alias.c.space_id == bindparam("in_space"), alias.c.slug == bindparam("at_slug")
)
_CHANGE_OF = "SELECT change FROM page WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Page:
    """`change` is the site-wide counter at its last change; `protection` the role that it takes to
    edit it, "" for the usual one; `bound` the most that our people may do, "" for a page of ours;
    `language` a code, "" when it is to be told from the text."""

    id: str
    space_id: str
    kind: str
    title: str
    slug: str
    status: str
    epoch: int
    created_by: str
    created_at_ms: int
    modified_by: str
    modified_at_ms: int
    archived_at_ms: int | None
    change: int
    status_reason: str = ""
    protection: str = ""
    language: str = ""
    bound: str = ""
    tags: tuple[str, ...] = ()

    def access(self, space: SpaceAccess) -> SpaceAccess:
        """What decides rights on the page: those of its space, its protection, its home."""
        edit_role = Role(self.protection) if self.protection else Role.EDITOR
        bound = Role(self.bound) if self.bound else None
        if (edit_role, bound) == (space.edit_role, space.bound):
            return space
        return replace(space, edit_role=edit_role, bound=bound)

    @property
    def is_archived(self) -> bool:
        return self.archived_at_ms is not None


def create(
    conn: Connection,
    key: SiteKey,
    *,
    space_id: str,
    title: str,
    kind: str = "idea",
    text: str = "",
    person_id: str,
    now_ms: int,
    tags: Iterable[str] = (),
    via: str = "",
) -> Page:
    """A page with `text`. Raises BadInput, NameTaken."""
    title, kind, wanted = check_title(title), check_kind(kind), check_tags(tags)
    client = texts.new_client()
    x = {"thing": "page", "space": space_id, "kind": kind, **({"via": via} if via else {})}
    called = {"title": title, "slug": free_slug(conn, space_id, title), "tags": list(wanted)}
    bodies = texts.first_update(texts.plain(text), client), canonical(called).encode()
    parts = [Part(person_id, now_ms, body) for body in bodies]
    made = log.write(conn, key, "", "create", parts, x)
    insert(conn, made.page, made.born, person_id, now_ms)
    journal.lease(conn, made.page, client, person_id)
    return by_id(conn, made.page)


def insert(
    conn: Connection, page_id: str, born: Mapping[str, Any], person_id: str, at_ms: int
) -> None:
    """The row of a page whose `create` record says `born`."""
    conn.execute(
        table.insert().values(
            id=page_id,
            space_id=born["space"],
            kind=born["kind"],
            title=born["title"],
            slug=born["slug"],
            created_by=person_id,
            created_at_ms=at_ms,
            modified_by=person_id,
            modified_at_ms=at_ms,
            change=next_change(conn),
            bound=select(spaces.c.bound).where(spaces.c.id == born["space"]).scalar_subquery(),
        )
    )
    set_tags(conn, page_id, born["tags"])


def check_kind(kind: str) -> str:
    if kind not in KINDS:
        raise BadInput("kind", f"it is one of {', '.join(KINDS)}")
    return kind


def check_language(language: str) -> str:
    """ "" leaves it to the text. Raises BadInput."""
    if not isinstance(language, str) or (language and language not in LANGUAGES):
        raise BadInput("language", f"it is one of {', '.join(LANGUAGES)}, or empty")
    return language


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """`tags` as they are stored: slugs, each once. Raises BadInput."""
    found = tuple(dict.fromkeys(slugify(tag.lstrip("#")) for tag in tags if tag.strip(" #")))
    if len(found) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARS for tag in found):
        raise BadInput("tags", f"at most {MAX_TAGS}, of at most {MAX_TAG_CHARS} characters")
    return found


def free_slug(conn: Connection, space_id: str, title: str, *, of: str = "") -> str:
    """The address for `title`, free for the page `of`. Raises NameTaken when a page has it."""
    slug = slugify(title)
    holder = conn.scalar(
        select(table.c.id).where(table.c.space_id == space_id, table.c.slug == slug)
    )
    if holder is not None and holder != of:
        raise NameTaken("page", title)
    taken = (alias.c.space_id == space_id) & (alias.c.slug == slug)
    conn.execute(alias.delete().where(taken))  # an old address gives way to a page of that name
    return slug


def numbered_title(conn: Connection, space_id: str, title: str) -> str:
    """`title`, with a number behind it if that is what it takes to be free."""
    candidate, number = title, 1
    slugs = table.c.space_id == space_id
    while conn.scalar(select(table.c.id).where(slugs, table.c.slug == slugify(candidate))):
        number += 1
        candidate = f"{title[: MAX_SLUG_CHARS - 8]} ({number})"
    return candidate


def set_tags(conn: Connection, page_id: str, tags: Iterable[str]) -> None:
    conn.execute(page_tag.delete().where(page_tag.c.page_id == page_id))
    for tag in tags:
        conn.execute(page_tag.insert().values(page_id=page_id, tag=tag))


def by_id(conn: Connection, page_id: str) -> Page:
    """Raises NotFound."""
    found = several(conn, [page_id])
    if not found:
        raise NotFound("page", page_id)
    return found[page_id]


def several(conn: Connection, page_ids: Collection[str]) -> dict[str, Page]:
    """Those of them that exist, by id."""
    given = {"ids": json.dumps(list(page_ids))}
    return {one.id: one for one in found_by(conn, _SEVERAL, given)} if page_ids else {}


def epochs(conn: Connection, page_ids: Collection[str]) -> dict[str, int]:
    """Of those that exist, which history copies of them belong to."""
    query = select(table.c.id, table.c.epoch).where(table.c.id.in_(list(page_ids)))
    return {row.id: row.epoch for row in conn.execute(query)} if page_ids else {}


def resolve(conn: Connection, space_id: str, slug: str) -> tuple[Page, bool]:
    """The page at an address, and whether it is an old address of it. Raises NotFound."""
    at = {"in_space": space_id, "at_slug": slug}
    found = found_by(conn, _AT, at)
    if found:
        return found[0], False
    page_id = conn.scalar(_FORMERLY_AT, at)
    if page_id is None:
        raise NotFound("page", slug)
    return by_id(conn, page_id), True


def old_addresses(conn: Connection, page_ids: Collection[str]) -> dict[str, list[str]]:
    """The slugs that the pages had; who has none is not in it."""
    found: dict[str, list[str]] = {}
    query = select(alias.c.page_id, alias.c.slug).where(alias.c.page_id.in_(list(page_ids)))
    for page_id, slug in conn.execute(query.order_by(alias.c.slug)):
        found.setdefault(page_id, []).append(slug)
    return found


class Touch(NamedTuple):
    """The page was changed by that person at that time. `may_be_late`: it is told now, and was
    perhaps changed since; then it stays whose it is."""

    page_id: str
    person_id: str
    at_ms: int
    may_be_late: bool = False


def touch(
    conn: Connection, page_id: str, person_id: str, at_ms: int, *, may_be_late: bool = False
) -> int:
    """The page changed; the new value of the change counter. Raises NotFound."""
    return touch_all(conn, [Touch(page_id, person_id, at_ms, may_be_late)])


def touch_all(conn: Connection, touches: Sequence[Touch]) -> int:
    """Several pages changed, each named once: a number each, in their order; the last of them.

    Raises NotFound."""
    first = next_change(conn, len(touches)) - len(touches) + 1
    numbered = (
        (one.page_id, one.person_id, one.at_ms, number, one.may_be_late)
        for number, one in enumerate(touches, first)
    )
    if _TOUCH.run(conn, numbered) != len(touches):
        known = several(conn, [one.page_id for one in touches])
        raise NotFound("page", next(one.page_id for one in touches if one.page_id not in known))
    return first + len(touches) - 1


def stir(conn: Connection, page_id: str) -> None:
    """Something about the page changed, not the page: followers are to look at it again."""
    number = next_change(conn)
    conn.execute(table.update().where(table.c.id == page_id).values(change=number))


def next_change(conn: Connection, count: int = 1) -> int:
    """Count up by so many, and give the last number; never gives one twice."""
    given = {"name": _CHANGE, "first": str(count), "count": count}
    return int(_COUNT_UP.scalar(conn, given))


def last_change(conn: Connection) -> int:
    return int(conn.scalar(_LAST) or 0)


def changed_since(conn: Connection, change: int, limit: int) -> list[Page]:
    """The next pages behind `change`, archived ones too, in the order they changed."""
    query = select(table).where(table.c.change > change).order_by(table.c.change)
    return found_by(conn, query.limit(limit))


def count_changed_since(conn: Connection, change: int) -> tuple[int, int]:
    """How many pages `changed_since` would give, and how many there are."""
    behind = func.count().filter(table.c.change > change)
    row = conn.execute(select(behind, func.count()).select_from(table)).one()
    return row[0], row[1]


def text(conn: Connection, page_id: str, change: int | None = None) -> str:
    """The page's durable text; a reader replays it once for each change of the page.

    `change` is the page's, if it was read in this transaction."""
    kept = Texts.of(conn)
    if change is None:
        change = change_of(conn, page_id) if kept else None
    if kept is None or change is None:
        return texts.text_of_updates(journal.state(conn, page_id))
    found = kept.get(page_id, change)
    if found is None:
        found = texts.text_of_updates(journal.state(conn, page_id))
        kept.keep(page_id, change, found)
    return found


def change_of(conn: Connection, page_id: str) -> int | None:
    """The number of its last change; None if it is gone. As quick as can be: it is asked for each
    time that somebody looks at a page."""
    row = conn.exec_driver_sql(_CHANGE_OF, (page_id,)).first()
    return None if row is None else int(row[0])


def found_by(
    conn: Connection, query: Executable, given: Mapping[str, Any] | None = None
) -> list[Page]:
    """The pages whose columns `query` selects, with their tags, in its order."""
    rows: list[Row[Any]] = list(conn.execute(query, given))
    tags: dict[str, list[str]] = {}
    asked = {"ids": json.dumps([row.id for row in rows])}
    for page_id, tag in conn.execute(_TAGS, asked) if rows else ():
        tags.setdefault(page_id, []).append(tag)
    return [Page(**row._mapping, tags=tuple(tags.get(row.id, ()))) for row in rows]
