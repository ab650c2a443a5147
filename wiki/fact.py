"""Acts that are not text: rename, tag, move, archive, name, settings …

`act` puts the act into the record and applies it to the tables in the same transaction; `apply` is
the second half alone, for records that come from elsewhere. A fact is JSON: `name` and the fields
that its form (`form`) asks for. A fact that speaks of the text seals the text first, and carries
its hash and state vector: what was voted on, named or commented can be proven later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from wiki import form as forms
from wiki import journal, label, log, page, record, seal, space, talk, text, version, voice
from wiki.access import Action, Role, within
from wiki.errors import NOT_SHARED_SO_FAR, BadInput, Forbidden, NameTaken
from wiki.form import PAGE, SPACE, Act, Fields, Form, nothing
from wiki.key import SiteKey
from wiki.names import check_title, slugify
from wiki.record import Part, Record
from wiki.store.tables import alias
from wiki.store.tables import page as pages
from wiki.store.tables import space as spaces

PROTECTIONS = ("", Role.STEWARD.value)
MAX_STATUS_CHARS = 40
_TEXT = "text"


def act(
    conn: Connection, key: SiteKey, thing_id: str, person_id: str, fact: Fields, now_ms: int
) -> Record:
    """Do it and record it. Raises BadInput, NotFound, NameTaken, and Forbidden for what the site
    that shares the page does not allow; then nothing has happened."""
    form, told = _form(fact), dict(fact)
    here = page.several(conn, [thing_id]).get(thing_id)
    if here is not None and here.bound and not within(Role(here.bound), form.needs):
        raise Forbidden(fact["name"], "what another site shares", NOT_SHARED_SO_FAR)
    if form.is_of_text:
        seal.seal(conn, key, thing_id, now_ms)
        if _TEXT not in told:
            told[_TEXT] = text_state(journal.state(conn, thing_id))
    checked = _checked(told)
    body = record.canonical(checked).encode()
    apply(conn, thing_id, person_id, checked, now_ms)
    return log.write(conn, key, thing_id, kind_of(fact), [Part(person_id, now_ms, body)], {})


def apply(conn: Connection, thing_id: str, person_id: str, fact: Fields, at_ms: int) -> None:
    """What the fact does to the tables. Raises BadInput for what is not a fact."""
    form, checked = _form(fact), _checked(fact)
    is_page = thing_id in page.several(conn, [thing_id])
    if (PAGE if is_page else SPACE) not in form.things:
        raise BadInput(fact["name"], f"this is an act on a {' or '.join(sorted(form.things))}")
    form.apply(conn, Act(thing_id, person_id, at_ms), checked)
    if is_page and form.is_change:
        page.touch(conn, thing_id, person_id, at_ms, may_be_late=True)
    elif is_page:
        page.stir(conn, thing_id)


def say(conn: Connection, act: Act, fact: Fields) -> None:
    """What the fact does to its own table alone; for views that are told again."""
    _form(fact).apply(conn, act, _checked(fact))


def checked(fact: Fields) -> dict[str, Any]:
    """`fact` as it is recorded. Raises BadInput, which says what is wrong with it."""
    return _checked(fact)


def changes(made: Record) -> tuple[Part, ...]:
    """Those parts of the record by which its page counts as changed, as by what is said here."""
    if made.kind in record.FACT_KINDS:
        names = [json.loads(part.update).get("name") for part in made.parts]
        found = zip(made.parts, names, strict=True)
        return tuple(part for part, name in found if name in _FACTS and _FACTS[name].is_change)
    return () if made.kind in ("grant", "checkpoint") else made.parts


def kind_of(fact: Fields) -> str:
    """The kind of the records that hold it."""
    return version.KINDS.get(str(fact.get("name")), "fact")


def is_known(name: str) -> bool:
    """Whether it is the name of an act; other sites may know more of them."""
    return name in _FACTS


def shows_elsewhere(name: str) -> bool:
    """Whether what it does is seen on other pages than its own; there it counts as a change."""
    return name not in talk.FORMS and name not in voice.FORMS


def summary(fact: Fields) -> str:
    """The fact as a short sentence without its subject."""
    if not is_known(str(fact.get("name"))):
        return "did what this version does not know yet"
    return _form(fact).summary(fact)


def text_state(updates: Sequence[bytes]) -> dict[str, str]:
    """What a fact says of the text that `updates` make."""
    doc = text.new_doc(*updates)
    digest = hashlib.sha256(text.text_of(doc).encode()).digest()
    return {"hash": record.base64url(digest), "vector": record.base64url(doc.get_state())}


def action_of(name: str) -> Action:
    """The right that it takes to do it. Raises BadInput."""
    return _form({"name": name}).needs


def _form(fact: Fields) -> Form:
    name = fact.get("name")
    form = _FACTS.get(name) if isinstance(name, str) else None
    if form is None:
        raise BadInput("name", f"there is no such act; there are {', '.join(sorted(_FACTS))}")
    return form


def _checked(fact: Fields) -> dict[str, Any]:
    form = _form(fact)
    given = {name: value for name, value in fact.items() if name != "name"}
    told = {_TEXT: given.pop(_TEXT)} if form.is_of_text and _TEXT in given else {}
    unknown = given.keys() - form.fields.keys()
    lacking = form.fields.keys() - given.keys() - form.optional
    if unknown or (lacking and not form.is_partial) or (form.is_partial and not given):
        raise BadInput(str(fact["name"]), f"give {', '.join(form.fields) or 'no field'}")
    checked = {name: _field(form, name, value) for name, value in given.items()}
    told = {name: forms.text_state(value) for name, value in told.items()}
    return {"name": fact["name"], **checked, **told}


def _field(form: Form, name: str, value: Any) -> Any:
    """`value` as it is kept; what is wrong with it is said of the field that it is in."""
    try:
        return form.fields[name](value)
    except BadInput as error:
        raise BadInput(name, error.why) from error


# -- what facts do


def _protection(value: Any) -> str:
    if value not in PROTECTIONS:
        raise BadInput("level", f"it is one of {', '.join(repr(one) for one in PROTECTIONS)}")
    return str(value)


def _status_word(value: Any) -> str:
    if len(given := forms.short(value)) > MAX_STATUS_CHARS:
        raise BadInput("status", f"at most {MAX_STATUS_CHARS} characters")
    return given


def _rename(conn: Connection, act: Act, fact: Fields) -> None:
    here = page.by_id(conn, act.thing_id)
    slug = page.free_slug(conn, here.space_id, fact["title"], of=here.id)
    _set_page(conn, here.id, title=fact["title"], slug=slug)
    if slug != here.slug:
        _keep_address(conn, here.space_id, here.slug, here.id)


def _move(conn: Connection, act: Act, fact: Fields) -> None:
    here, target = page.by_id(conn, act.thing_id), space.by_id(conn, fact["space"])
    slug = page.free_slug(conn, target.id, here.title, of=here.id)
    _set_page(conn, here.id, space_id=target.id, slug=slug)
    if (target.id, slug) != (here.space_id, here.slug):
        _keep_address(conn, here.space_id, here.slug, here.id)


def _kind(conn: Connection, act: Act, fact: Fields) -> None:
    _set_page(conn, act.thing_id, kind=fact["kind"])


def _language(conn: Connection, act: Act, fact: Fields) -> None:
    _set_page(conn, act.thing_id, language=fact["language"])


def _retag(conn: Connection, act: Act, fact: Fields) -> None:
    page.set_tags(conn, act.thing_id, fact["tags"])


def _status(conn: Connection, act: Act, fact: Fields) -> None:
    _set_page(conn, act.thing_id, status=fact["status"], status_reason=fact["reason"])


def _protect(conn: Connection, act: Act, fact: Fields) -> None:
    _set_page(conn, act.thing_id, protection=fact["level"])


def _archive(conn: Connection, act: Act, fact: Fields) -> None:
    _set_archived(conn, act.thing_id, act.at_ms)


def _restore(conn: Connection, act: Act, fact: Fields) -> None:
    _set_archived(conn, act.thing_id, None)


def _set_archived(conn: Connection, thing_id: str, at_ms: int | None) -> None:
    for table in (pages, spaces):  # ids are hashes: never both
        conn.execute(table.update().where(table.c.id == thing_id).values(archived_at_ms=at_ms))


def _settings(conn: Connection, act: Act, fact: Fields) -> None:
    values = {name: value for name, value in fact.items() if name != "name"}
    if "slug" in values:
        held = conn.scalar(
            spaces.select().with_only_columns(spaces.c.id).where(spaces.c.slug == values["slug"])
        )
        if held not in (None, act.thing_id):
            raise NameTaken("space", values["slug"])
    conn.execute(spaces.update().where(spaces.c.id == act.thing_id).values(**values))


def _membership(conn: Connection, act: Act, fact: Fields) -> None:
    role = Role(fact["role"]) if fact["role"] else None
    space.set_member(conn, act.thing_id, fact["person"], role)


def _set_page(conn: Connection, page_id: str, **values: Any) -> None:
    conn.execute(pages.update().where(pages.c.id == page_id).values(**values))


def _keep_address(conn: Connection, space_id: str, slug: str, page_id: str) -> None:
    row = insert(alias).values(space_id=space_id, slug=slug, page_id=page_id)
    values = {"page_id": page_id}
    conn.execute(row.on_conflict_do_update(index_elements=["space_id", "slug"], set_=values))


def _protected(fact: Fields) -> str:
    return "protected: stewards edit it" if fact["level"] else "opened to all who may edit"


_FACTS: Mapping[str, Form] = {
    "rename": Form({"title": check_title}, _rename, lambda f: f"renamed to “{f['title']}”"),
    "kind": Form({"kind": page.check_kind}, _kind, lambda f: f"made a page of kind {f['kind']}"),
    "language": Form(
        {"language": page.check_language},
        _language,
        lambda f: f"said to be in {page.LANGUAGES.get(f['language'], 'the language of its text')}",
    ),
    "tags": Form(
        {"tags": forms.tags}, _retag, lambda f: f"tagged {', '.join(f['tags']) or 'nothing'}"
    ),
    "status": Form(
        {"status": _status_word, "reason": forms.reason},
        _status,
        lambda f: f"{f['status'] or 'open'}: {f['reason']}",
        is_of_text=True,
        needs=Action.DECIDE,
    ),
    "protect": Form({"level": _protection}, _protect, _protected, needs=Action.DECIDE),
    "move": Form({"space": forms.short}, _move, lambda f: "moved here"),
    "archive": Form({}, _archive, lambda f: "archived", things=frozenset((PAGE, SPACE))),
    "restore": Form(
        {}, _restore, lambda f: "brought back from the archive", things=frozenset((PAGE, SPACE))
    ),
    "name": Form(
        {"label": forms.label, "of": forms.moment},
        label.give,
        lambda f: f"named “{f['label']}”" if f["label"] else "took a name away",
        is_of_text=True,
        is_change=False,
        optional=frozenset(("of",)),
    ),
    "attach": Form(
        {
            "id": forms.identity,
            "digest": forms.digest,
            "file": forms.file_name,
            "media_type": forms.media_type,
            "size": forms.number,
        },
        nothing,
        lambda f: f"added the file {f['file']}",
    ),
    "settings": Form(
        {
            "title": check_title,
            "slug": slugify,
            "purpose": forms.purpose,
            "openness": forms.openness,
            "open_role": forms.open_role,
            "guests_allowed": forms.flag,
        },
        _settings,
        lambda f: f"changed {', '.join(name for name in f if name != 'name')}",
        things=frozenset((SPACE,)),
        is_partial=True,
        needs=Action.STEWARD,
    ),
    "member": Form(
        {"person": forms.short, "role": forms.role},
        _membership,
        lambda f: f"made a {f['role']}" if f["role"] else "removed from the space",
        things=frozenset((SPACE,)),
        needs=Action.STEWARD,
    ),
    **talk.FORMS,
    **voice.FORMS,
    **version.FORMS,
}
