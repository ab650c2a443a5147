"""Acts that are not text: rename, tag, move, archive, name, settings …

`act` puts the act into the record and applies it to the tables in the same transaction; `apply` is
the second half alone, for records that come from elsewhere. A fact is JSON: `name` and the fields
that its row in `_FACTS` asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from wiki import log, page, record, space
from wiki.access import Openness, Role
from wiki.errors import BadInput, NameTaken
from wiki.key import SiteKey
from wiki.names import check_title, slugify
from wiki.record import Part, Record
from wiki.store.tables import alias
from wiki.store.tables import page as pages
from wiki.store.tables import space as spaces

Fields = Mapping[str, Any]
MAX_REASON_CHARS = 2000
MAX_PURPOSE_CHARS = 10_000
PAGE, SPACE = "page", "space"


def act(
    conn: Connection, key: SiteKey, thing_id: str, person_id: str, fact: Fields, now_ms: int
) -> Record:
    """Do it and record it. Raises BadInput, NotFound, NameTaken; then nothing has happened."""
    checked = _checked(fact)
    body = record.canonical(checked).encode()
    apply(conn, thing_id, person_id, checked, now_ms)
    return log.write(conn, key, thing_id, "fact", [Part(person_id, now_ms, body)], {})


def apply(conn: Connection, thing_id: str, person_id: str, fact: Fields, at_ms: int) -> None:
    """What the fact does to the tables."""
    form = _form(fact)
    is_page = thing_id in page.several(conn, [thing_id])
    if (PAGE if is_page else SPACE) not in form.things:
        raise BadInput(fact["name"], f"this is an act on a {' or '.join(sorted(form.things))}")
    form.apply(conn, thing_id, fact, at_ms)
    if is_page:
        page.touch(conn, thing_id, person_id, at_ms)


def summary(fact: Fields) -> str:
    """The fact as a short sentence without its subject."""
    return _form(fact).summary(fact)


class _Form(NamedTuple):
    """`fields`: name -> what it must be; all must be there unless `is_partial`."""

    fields: Mapping[str, Callable[[Any], Any]]
    apply: Callable[[Connection, str, Fields, int], None]
    summary: Callable[[Fields], str]
    things: frozenset[str] = frozenset((PAGE,))
    is_partial: bool = False


def _form(fact: Fields) -> _Form:
    name = fact.get("name")
    form = _FACTS.get(name) if isinstance(name, str) else None
    if form is None:
        raise BadInput("name", f"there is no such act; there are {', '.join(sorted(_FACTS))}")
    return form


def _checked(fact: Fields) -> dict[str, Any]:
    form = _form(fact)
    given = {name: value for name, value in fact.items() if name != "name"}
    unknown = given.keys() - form.fields.keys()
    lacking = form.fields.keys() - given.keys()
    if unknown or (lacking and not form.is_partial) or (form.is_partial and not given):
        raise BadInput(str(fact["name"]), f"give {', '.join(form.fields) or 'no field'}")
    checked = {name: _field(form, name, value) for name, value in given.items()}
    return {"name": fact["name"], **checked}


def _field(form: _Form, name: str, value: Any) -> Any:
    """`value` as it is kept; what is wrong with it is said of the field that it is in."""
    try:
        return form.fields[name](value)
    except BadInput as error:
        raise BadInput(name, error.why) from error


# -- what fields must be


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_REASON_CHARS:
        raise BadInput("text", f"a text of at most {MAX_REASON_CHARS} characters")
    return value.strip()


def _purpose(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_PURPOSE_CHARS:
        raise BadInput("purpose", f"a text of at most {MAX_PURPOSE_CHARS} characters")
    return value.strip()


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadInput("flag", "it is true or false")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise BadInput("size", "a whole number")
    return value


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        raise BadInput("tags", "a list of words")
    return list(page.check_tags(value))


def _role(value: Any) -> str | None:
    if value is not None and value not in list(Role):
        raise BadInput("role", f"it is one of {', '.join(Role)}, or null")
    return None if value is None else Role(value).value


def _open_role(value: Any) -> str:
    return _role(value) or Role.READER.value


def _openness(value: Any) -> str:
    if value not in list(Openness):
        raise BadInput("openness", f"it is one of {', '.join(Openness)}")
    return Openness(value).value


# -- what facts do


def _rename(conn: Connection, page_id: str, fact: Fields, at_ms: int) -> None:
    here = page.by_id(conn, page_id)
    slug = page.free_slug(conn, here.space_id, fact["title"], of=page_id)
    _set_page(conn, page_id, title=fact["title"], slug=slug)
    if slug != here.slug:
        _keep_address(conn, here.space_id, here.slug, page_id)


def _move(conn: Connection, page_id: str, fact: Fields, at_ms: int) -> None:
    here, target = page.by_id(conn, page_id), space.by_id(conn, fact["space"])
    slug = page.free_slug(conn, target.id, here.title, of=page_id)
    _set_page(conn, page_id, space_id=target.id, slug=slug)
    if (target.id, slug) != (here.space_id, here.slug):
        _keep_address(conn, here.space_id, here.slug, page_id)


def _kind(conn: Connection, page_id: str, fact: Fields, at_ms: int) -> None:
    _set_page(conn, page_id, kind=fact["kind"])


def _retag(conn: Connection, page_id: str, fact: Fields, at_ms: int) -> None:
    page.set_tags(conn, page_id, fact["tags"])


def _status(conn: Connection, page_id: str, fact: Fields, at_ms: int) -> None:
    _set_page(conn, page_id, status=fact["status"])


def _archive(conn: Connection, thing_id: str, fact: Fields, at_ms: int) -> None:
    for table in (pages, spaces):  # ids are hashes: never both
        conn.execute(table.update().where(table.c.id == thing_id).values(archived_at_ms=at_ms))


def _restore(conn: Connection, thing_id: str, fact: Fields, at_ms: int) -> None:
    for table in (pages, spaces):
        conn.execute(table.update().where(table.c.id == thing_id).values(archived_at_ms=None))


def _nothing(conn: Connection, thing_id: str, fact: Fields, at_ms: int) -> None:
    """The record of it is all there is to it."""


def _settings(conn: Connection, space_id: str, fact: Fields, at_ms: int) -> None:
    values = {name: value for name, value in fact.items() if name != "name"}
    if "slug" in values:
        held = conn.scalar(
            spaces.select().with_only_columns(spaces.c.id).where(spaces.c.slug == values["slug"])
        )
        if held not in (None, space_id):
            raise NameTaken("space", values["slug"])
    conn.execute(spaces.update().where(spaces.c.id == space_id).values(**values))


def _membership(conn: Connection, space_id: str, fact: Fields, at_ms: int) -> None:
    role = Role(fact["role"]) if fact["role"] else None
    space.set_member(conn, space_id, fact["person"], role)


def _set_page(conn: Connection, page_id: str, **values: Any) -> None:
    conn.execute(pages.update().where(pages.c.id == page_id).values(**values))


def _keep_address(conn: Connection, space_id: str, slug: str, page_id: str) -> None:
    row = insert(alias).values(space_id=space_id, slug=slug, page_id=page_id)
    values = {"page_id": page_id}
    conn.execute(row.on_conflict_do_update(index_elements=["space_id", "slug"], set_=values))


_FACTS: Mapping[str, _Form] = {
    "rename": _Form({"title": check_title}, _rename, lambda f: f"renamed to “{f['title']}”"),
    "kind": _Form({"kind": page.check_kind}, _kind, lambda f: f"made a page of kind {f['kind']}"),
    "tags": _Form({"tags": _tags}, _retag, lambda f: f"tagged {', '.join(f['tags']) or 'nothing'}"),
    "status": _Form(
        {"status": _text, "reason": _text}, _status, lambda f: f"{f['status']}: {f['reason']}"
    ),
    "move": _Form({"space": _text}, _move, lambda f: "moved here"),
    "archive": _Form({}, _archive, lambda f: "archived", things=frozenset((PAGE, SPACE))),
    "restore": _Form(
        {}, _restore, lambda f: "brought back from the archive", things=frozenset((PAGE, SPACE))
    ),
    "name": _Form({"label": check_title}, _nothing, lambda f: f"named “{f['label']}”"),
    "attach": _Form(
        {"id": _text, "digest": _text, "file": _text, "media_type": _text, "size": _number},
        _nothing,
        lambda f: f"added the file {f['file']}",
    ),
    "settings": _Form(
        {
            "title": check_title,
            "slug": slugify,
            "purpose": _purpose,
            "openness": _openness,
            "open_role": _open_role,
            "guests_allowed": _flag,
        },
        _settings,
        lambda f: f"changed {', '.join(name for name in f if name != 'name')}",
        things=frozenset((SPACE,)),
        is_partial=True,
    ),
    "member": _Form(
        {"person": _text, "role": _role},
        _membership,
        lambda f: f"made a {f['role']}" if f["role"] else "removed from the space",
        things=frozenset((SPACE,)),
    ),
}
