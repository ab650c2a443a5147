"""Home, doors, spaces, search, account and administration, as a browser without script has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.front import PASSWORD, a_front
from tests.support.waiting import eventually
from web.views.forms import local_path

SPACE = "/s/ideas-for-learning-programmes"


async def test_a_visitor_is_welcomed_and_an_administrator_sees_the_samples(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        visitor, ada = await front.browser().get("/"), await front.ada.get("/")
        assert "Acme ideas" in visitor.text and "/sign-in" in visitor.text
        assert "learning programmes" not in visitor.text
        assert "Hello, Ada" in ada.text and SPACE in ada.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/recent",
        SPACE,
        f"{SPACE}?kind=idea&order=title",
        f"{SPACE}?archived=1",
        f"{SPACE}/recent",
        f"{SPACE}/tags/onboarding",
        f"{SPACE}/settings",
        "/spaces/new",
        "/search",
        "/me",
        "/admin",
    ],
)
async def test_every_page_opens_without_inline_style_or_script(tmp_path: Path, path: str) -> None:
    async with a_front(tmp_path) as front:
        answer = await front.ada.get(path)
        assert answer.status_code == 200
        assert " style=" not in answer.text and " onclick=" not in answer.text
        assert len(re.findall("<h1", answer.text)) == 1
        ids = re.findall(r'\bid="([^"]+)"', answer.text)
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", ["/recent", "/me", "/admin", "/spaces/new", f"{SPACE}/settings"])
async def test_a_visitor_is_sent_to_sign_in_where_that_is_needed(tmp_path: Path, path: str) -> None:
    async with a_front(tmp_path) as front:
        answer = await front.browser().get(path)
        if path == "/recent":
            assert answer.status_code == 200 and "mentor" not in answer.text.casefold()
        else:
            assert (answer.status_code, answer.headers["location"]) == (
                303,
                f"/sign-in?next={path}",
            )


async def test_a_wrong_password_keeps_the_name_and_says_what_to_do(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        someone = front.browser()
        wrong = await someone.send("/sign-in", name="ada", password="not this one")
        assert wrong.status_code == 400
        assert 'value="ada"' in wrong.text and "not this one" not in wrong.text
        right = await someone.send("/sign-in", name="ADA", password=PASSWORD, next="/recent")
        assert (right.status_code, right.headers["location"]) == (303, "/recent")


async def test_guessing_passwords_is_slowed_down(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        someone = front.browser()
        answers = [await someone.send("/sign-in", name="ada", password="x") for _ in range(12)]
        assert answers[-1].status_code == 429


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil", "", "x"])
def test_nobody_is_sent_to_another_site(path: str) -> None:
    assert local_path(path) == "/"


async def test_a_form_without_our_token_is_refused(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        answer = await front.ada.client.post("/me/name", data={"display": "Mallory"})
        assert answer.status_code == 403
        assert "Mallory" not in (await front.ada.get("/me")).text


async def test_somebody_joins_by_a_link_and_is_a_member(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        made = await front.ada.send(
            f"{SPACE}/settings/invites", f"{SPACE}/settings", role="editor", uses="2", days="3"
        )
        link = re.search(r'value="http://[^"]+(/join/[\w-]+)"', made.text)
        assert link is not None
        eve = front.browser()
        short = await eve.send(link[1], display="Eve", name="eve", password="short")
        assert short.status_code == 400 and 'value="Eve"' in short.text
        joined = await eve.send(link[1], display="Eve", name="eve", password=PASSWORD)
        assert joined.headers["location"].startswith(SPACE)
        assert f"{SPACE}/new" in (await eve.get(SPACE)).text
        assert (await eve.get(f"{SPACE}/settings")).status_code == 403
        assert (await eve.get("/admin")).status_code == 403


async def test_a_guest_needs_only_a_name_where_guests_are_allowed(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        at = f"{SPACE}/settings"
        refused = await front.ada.send(f"{at}/invites", at, kind="guest", role="editor")
        assert refused.status_code in (200, 400)
        fields = {"title": "Ideas", "slug": SPACE[3:], "openness": "members"}
        await front.ada.send(at, guests_allowed="on", open_role="reader", **fields)
        made = await front.ada.send(f"{at}/invites", at, kind="guest", role="commenter")
        link = re.search(r'value="http://[^"]+(/join/[\w-]+)"', made.text)
        assert link is not None
        guest = front.browser()
        await guest.send(link[1], display="Gast")
        assert (await guest.get(SPACE)).status_code == 200
        assert (await guest.get("/spaces/new")).status_code == 403


async def test_a_space_of_members_does_not_exist_for_others(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        made = await front.ada.send("/spaces/new", title="Geheim", openness="members")
        assert made.headers["location"] == "/s/geheim"
        again = await front.ada.send("/spaces/new", title="Geheim", purpose="kept")
        assert again.status_code == 409 and "kept" in again.text
        link = re.search(
            r"/join/[\w-]+", (await front.ada.send("/admin/invites", "/admin", uses="1")).text
        )
        assert link is not None
        eve = front.browser()
        await eve.send(link[0], display="Eve", name="eve", password=PASSWORD)
        assert (await eve.get("/s/geheim")).status_code == 404
        assert "Geheim" not in (await eve.get("/")).text


async def test_the_samples_go_in_one_click(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        answer = await front.ada.send(f"{SPACE}/settings/delete", SPACE)
        assert answer.headers["location"].startswith("/?done=deleted")
        assert (await front.ada.get(SPACE)).status_code == 404


async def test_a_space_keeps_at_least_one_steward(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        at = f"{SPACE}/settings"
        answer = await front.ada.send(f"{at}/members", at, member="ada", role="reader")
        assert answer.status_code == 400 and "only steward" in answer.text


async def test_a_space_is_archived_and_comes_back(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.ada.send(f"{SPACE}/settings/archive", f"{SPACE}/settings")
        assert "can be read, not changed" in (await front.ada.get(SPACE)).text
        await front.ada.send(f"{SPACE}/settings/archive", f"{SPACE}/settings")
        assert f"{SPACE}/new" in (await front.ada.get(SPACE)).text


async def test_what_is_written_is_found(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:

        async def found() -> bool:
            return "<mark>" in (await front.ada.get("/search?q=films")).text

        await eventually(found)
        assert "<mark>" not in (await front.browser().get("/search?q=films")).text
        nothing = await front.ada.get("/search?q=%3Cb%3Exyzzy&kind=idea")
        assert "Nothing found" in nothing.text and "<b>xyzzy" not in nothing.text


async def test_a_token_is_shown_once_and_can_be_revoked(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        made = await front.ada.send("/me/tokens", "/me", label="backup", scope="read")
        token = re.search(r'id="new-link" readonly value="([^"]+)"', made.text)
        assert token is not None
        shown = await front.ada.get("/me")
        assert token[1] not in shown.text and "backup" in shown.text
        hashed = re.search(r'name="token" value="(\w{64})"', shown.text)
        assert hashed is not None
        await front.ada.send("/me/tokens/drop", "/me", token=hashed[1])
        assert "backup" not in (await front.ada.get("/me")).text


async def test_a_new_password_signs_other_browsers_out(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        other = front.browser()
        await other.send("/sign-in", name="ada", password=PASSWORD)
        new = "another long sentence"
        wrong = await front.ada.send("/me/password", "/me", present_password="no", password=new)
        assert wrong.status_code == 400
        await front.ada.send("/me/password", "/me", present_password=PASSWORD, password=new)
        assert (await front.ada.get("/me")).status_code == 200
        assert (await other.get("/me")).status_code == 303


async def test_the_only_administrator_stays_one(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        page = (await front.ada.get("/admin")).text
        ada = re.search(r'name="person" value="(u:\w+)"', page)
        assert ada is not None
        answer = await front.ada.send("/admin/people", "/admin", person=ada[1], act="disable")
        assert answer.status_code == 400 and "only administrator" in answer.text
