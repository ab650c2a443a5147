"""Pages of federated wikis come in with their journals; sites are authors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.arrivals import blamed, revisions_of, text_of
from tests.support.command_line import a_site

DAY = 1_390_000_000_000


def item(identity: str, text: str, kind: str = "paragraph", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "id": identity, "text": text, **fields}


def a_page() -> dict[str, Any]:
    """Begun on one site, forked to another, and changed there."""
    one, two, three = item("1", "one"), item("2", "two [[Other Page]]"), item("3", "three")
    edited = item("1", "one [http://x.y more]")
    journal = [
        {"type": "create", "item": {"title": "A Page"}, "date": DAY},
        {"type": "add", "id": "1", "item": one, "date": DAY + 1000},
        {"type": "add", "id": "2", "item": two, "after": "1", "date": DAY + 2000},
        {"type": "fork", "site": "far.example.org", "date": DAY + 3000},
        {"type": "add", "id": "3", "item": three, "after": "1", "date": DAY + 4000},
        {"type": "edit", "id": "1", "item": edited, "date": DAY + 5000},
        {"type": "move", "id": "3", "order": ["3", "1", "2"], "date": DAY + 6000},
    ]
    return {"title": "A Page", "story": [three, edited, two], "journal": journal}


def test_a_page_comes_with_its_journal(tmp_path: Path) -> None:
    (tmp_path / "a-page.json").write_text(json.dumps(a_page()))
    commands = a_site(tmp_path / "site")
    told = commands.told("import", str(tmp_path / "a-page.json"), "--space", "Notes")
    assert "1 page with 6 revisions" in told and "Nothing is lost" in told
    text = "three\n\none [more](http://x.y)\n\ntwo [[Other Page]]\n"
    assert text_of(commands, "a-page") == text
    names = dict(blamed(commands, "a-page"))
    assert names["two [[Other Page]]"] == "far.example.org" and names["three"] == "Ada"
    assert revisions_of(commands, "a-page")[1].at_ms == DAY + 1000


def test_the_story_counts_where_the_journal_leads_elsewhere(tmp_path: Path) -> None:
    page = a_page() | {"story": [item("9", "another")]}
    (tmp_path / "x.json").write_text(json.dumps({"a-page": page, "b": {"story": []}}))
    commands = a_site(tmp_path / "site")
    told = commands.told("import", str(tmp_path / "x.json"), "--space", "Notes", "--details")
    assert text_of(commands, "a-page") == "another\n"
    assert "the journal does not lead to the story" in told


def test_items_of_other_kinds_stay_to_be_seen(tmp_path: Path) -> None:
    story = [
        item("1", "<b>bold</b> &amp; <p>more</p>", "html"),
        item("2", "x = 1", "code"),
        item("3", "said", "reference", site="far.example.org", title="Far Page"),
        item("4", "a picture", "image", url="data:image/png;base64,AAAA"),
        item("5", "a picture", "image", url="https://x.y/a.png"),
        item("6", "", "calculator", cells=3),
    ]
    (tmp_path / "x.json").write_text(json.dumps({"title": "X", "story": story}))
    commands = a_site(tmp_path / "site")
    told = commands.told("import", str(tmp_path / "x.json"), "--space", "Notes", "--details")
    text = text_of(commands, "x")
    assert text.startswith("**bold** & more\n\n```\nx = 1\n```\n\n> [[Far Page]] (far.example.org)")
    assert "*[a picture]*\n\n![a picture](https://x.y/a.png)" in text and '"cells": 3' in text
    assert "items of the kind calculator are shown" in told and "pictures inside" in told


def test_a_folder_of_pages_leaves_out_what_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a-page").write_text(json.dumps(a_page()))
    (folder / "junk").write_text("{")
    commands = a_site(tmp_path / "site")
    words = ("import", str(folder), "--space", "Notes", "--from", "fedwiki", "--details")
    told = commands.told(*words)
    assert "1 page with" in told and "junk is no JSON; it is left out" in told
    refused = commands.refused("import", str(folder / "junk"), "--space", "x", "--from", "fedwiki")
    assert "junk is no JSON" in refused
