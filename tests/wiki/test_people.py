"""Accounts, sign-ins, tokens, invitations, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.wikis import START_MS, a_wiki
from wiki import access, attachment, invite, people, sample, signin, space
from wiki.access import Action, Role
from wiki.errors import BadInput, NameTaken, NotFound, TooLarge

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


async def test_a_name_is_taken_whatever_its_case(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        with pytest.raises(NameTaken):
            await wiki.store.write(lambda conn: people.create(conn, name="ADA", now_ms=1))


def test_only_the_right_password_matches_and_nobodys_never_does() -> None:
    stored = people.hash_password("correct horse")
    assert people.password_matches(stored, "correct horse")
    assert not people.password_matches(stored, "correct hors")
    assert not people.password_matches(None, "nobody's password")
    with pytest.raises(BadInput):
        people.hash_password("short")


async def test_a_sign_in_ends_when_it_is_ended_or_too_old(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        write, read = wiki.store.write, wiki.store.read
        ada = wiki.ada.id
        one = await write(lambda conn: signin.sign_in(conn, ada, "Firefox", START_MS))
        two = await write(lambda conn: signin.sign_in(conn, ada, "Phone", START_MS))
        assert await read(lambda conn: signin.signed_in(conn, one, START_MS)) == ada
        await write(lambda conn: signin.sign_out(conn, one))
        assert await read(lambda conn: signin.signed_in(conn, one, START_MS)) is None
        late = START_MS + signin.SIGN_IN_MS
        assert await read(lambda conn: signin.signed_in(conn, two, late)) is None
        await write(lambda conn: signin.sign_out_everywhere(conn, ada))
        assert await read(lambda conn: signin.signed_in(conn, two, START_MS)) is None


async def test_who_is_disabled_is_nobody_and_the_last_admin_stays(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        await wiki.store.write(lambda conn: people.set_admin(conn, wiki.ada.id, True))
        with pytest.raises(BadInput):
            await wiki.store.write(lambda conn: people.disable(conn, wiki.ada.id, 1))
        await wiki.store.write(lambda conn: people.disable(conn, wiki.eve.id, 1))
        actor = await wiki.store.read(lambda conn: people.actor(conn, wiki.eve.id))
        assert actor == access.ANONYMOUS


async def test_an_invitation_gives_its_role_once_and_never_takes_one(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        token = await wiki.store.write(
            lambda conn: invite.create(
                conn, kind="member", space_id=wiki.space.id, role=Role.EDITOR, now_ms=1, uses=2
            )
        )
        for person in (wiki.eve, wiki.ada):
            await wiki.store.write(
                lambda conn, person=person: invite.use(conn, token, person.id, 2)
            )
        members = await wiki.store.read(lambda conn: space.members(conn, wiki.space.id))
        assert [(one.name, role) for one, role in members] == [
            ("ada", Role.STEWARD),
            ("eve", Role.EDITOR),
        ]
        with pytest.raises(NotFound):
            await wiki.store.write(lambda conn: invite.use(conn, token, wiki.eve.id, 2))


async def test_guests_read_only_where_they_were_invited(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        guest = await wiki.store.write(
            lambda conn: people.create(conn, name="guest-1", is_guest=True, now_ms=1)
        )
        actor = await wiki.store.read(lambda conn: people.actor(conn, guest.id))
        assert not access.may(actor, Action.READ, wiki.space.access)


async def test_a_file_is_told_by_its_bytes_and_counted_once(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P")
        folder = tmp_path / "attachments"
        prepared = attachment.accept(folder, "C:\\pictures\\a.png", PNG)
        assert (prepared.name, prepared.media_type) == ("a.png", "image/png")
        for _ in range(2):
            await wiki.store.write(
                lambda conn: attachment.add(conn, prepared, made.id, wiki.ada.id, 1, 1000)
            )
        assert await wiki.store.read(attachment.stored_bytes) == len(PNG)
        with pytest.raises(TooLarge):
            await wiki.store.write(
                lambda conn: attachment.add(conn, prepared, made.id, wiki.ada.id, 1, 50)
            )
        with pytest.raises(BadInput):
            attachment.accept(folder, "page.png", b"<html><script>alert(1)</script>")
        assert [file.name for file in folder.iterdir()] == [prepared.digest]


async def test_the_sample_is_a_space_of_linked_ideas_that_can_be_deleted(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.store.write(
            lambda conn: sample.create_sample(conn, wiki.key, wiki.ada.id, START_MS)
        )
        assert made.is_sample
        gone = await wiki.store.write(lambda conn: space.delete(conn, made.id))
        assert len(gone) == 5
