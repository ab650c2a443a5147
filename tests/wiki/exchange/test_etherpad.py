"""A pad comes in with every author of every letter."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.arrivals import pieces_of, revisions_of, text_of
from tests.support.command_line import a_site
from wiki.exchange.etherpad import unpacked

NAMES = {"a.ada": "Ada", "a.bob": "Bob", "a.eve": None}


def base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class APad:
    """A pad that people type in, as Etherpad keeps it."""

    def __init__(self) -> None:
        self.text, self.owners = "\n", [""]
        self.pool = [["author", who] for who in NAMES] + [["bold", "true"]]
        self.revisions: list[dict[str, Any]] = []
        self.at_ms = 1_400_000_000_000

    def change(
        self, who: str, at: int, gone: int, new: str, as_of: str = "", wait: int = 700
    ) -> None:
        """At a place in characters; what is new may be somebody else's, as in a paste."""
        self.at_ms += wait
        number = list(NAMES).index(as_of or who)
        keep, cut = units(self.text[:at]), units(self.text[at : at + gone])
        by = units(new) - cut
        steps = f"={base36(keep)}" if keep else ""
        steps += f"-{base36(cut)}" if cut else ""
        steps += f"*{base36(number)}+{base36(units(new))}" if new else ""
        size = f"{'>' if by >= 0 else '<'}{base36(abs(by))}"
        self.add(who, f"Z:{base36(units(self.text))}{size}{steps}${new}")
        self.text = self.text[:at] + new + self.text[at + gone :]
        self.owners[at : at + gone] = [as_of or who] * len(new)

    def add(self, who: str, changeset: str) -> None:
        meta = {"author": who, "timestamp": self.at_ms}
        self.revisions.append({"changeset": changeset, "meta": meta})

    def write(self, path: Path, attribs: str = "", **fields: Any) -> Path:
        pool = {"numToAttrib": {str(n): one for n, one in enumerate(self.pool)}, "nextNum": 4}
        atext = {"text": self.text, "attribs": attribs or f"+{base36(units(self.text))}"}
        pad = {"atext": atext, "pool": pool, "head": len(self.revisions) - 1, **fields}
        told: dict[str, Any] = {"pad:My_notes": pad}
        for who, name in NAMES.items():
            told[f"globalAuthor:{who}"] = {"name": name, "padIDs": {"My_notes": 1}}
        for number, revision in enumerate(self.revisions):
            told[f"pad:My_notes:revs:{number}"] = revision
        path.write_text(json.dumps(told))
        return path


@pytest.mark.parametrize("seed", range(3))
def test_every_letter_has_its_author(tmp_path: Path, seed: int) -> None:
    chance, pad = random.Random(seed), APad()
    for _ in range(150):
        at = chance.randrange(len(pad.text))
        gone = chance.randrange(4) if at + 4 < len(pad.text) else 0
        new = "".join(chance.choice("ab é🎈\n") for _ in range(chance.randrange(1, 5)))
        who, as_of = (chance.choice(list(NAMES)) for _ in "xx")
        wait = chance.choice((300, 5000, 60_000))
        pad.change(who, at, gone, new, as_of if chance.random() < 0.2 else "", wait)
    commands = a_site(tmp_path / "site")
    file = pad.write(tmp_path / "notes.etherpad")
    told = commands.told("import", str(file), "--space", "Notes")
    assert "1 page with" in told and "Nothing is lost" in told
    shown = {who: name or "somebody without a name" for who, name in NAMES.items()}
    letters = [(c, n) for text, n in pieces_of(commands, "my-notes") for c in text]
    want = [(c, shown.get(o)) for c, o in zip(pad.text, pad.owners, strict=True)]
    assert letters[:-1] == want[:-1]  # the last line's end was there before anybody
    times = [one.at_ms for one in revisions_of(commands, "my-notes")]
    assert times == sorted(times) and len(times) < 150


def test_two_authors_in_one_revision_keep_the_order(tmp_path: Path) -> None:
    pad = APad()
    pad.change("a.ada", 0, 0, "xy")
    pad.add("a.ada", "Z:3>4=1*0+1*1+1*0+1*1+1$1234")
    pad.text = "x1234y\n"
    commands = a_site(tmp_path / "site")
    commands.told("import", str(pad.write(tmp_path / "n.etherpad")), "--space", "Notes")
    pieces = [("x1", "Ada"), ("2", "Bob"), ("3", "Ada"), ("4", "Bob")]
    assert pieces_of(commands, "my-notes")[:4] == pieces


def test_formatting_becomes_markdown_by_whoever_brings_it_in(tmp_path: Path) -> None:
    pad = APad()
    pad.change("a.bob", 0, 0, "*one\n*two\nbold word")
    pad.pool += [["lmkr", "1"], ["list", "bullet1"], ["list", "bullet2"]]
    commands = a_site(tmp_path / "site")
    attribs = "*4*5+1*1|1+4*4*6+1*1|1+4*3+4*1|1+6"
    file = pad.write(tmp_path / "n.etherpad", attribs, chatHead=1, savedRevisions=[{}])
    told = commands.told("import", str(file), "--space", "Notes", "--details")
    assert text_of(commands, "my-notes") == "- one\n  - two\n**bold** word\n"
    assert "2 messages of the chat are left out" in told and "1 names of saved" in told
    assert pieces_of(commands, "my-notes")[:2] == [("- ", "Ada"), ("one", "Bob")]


def test_a_pad_whose_revisions_do_not_make_its_text_is_refused(tmp_path: Path) -> None:
    pad = APad()
    pad.change("a.bob", 0, 0, "one")
    pad.text = "two\n"
    commands, file = a_site(tmp_path / "site"), pad.write(tmp_path / "n.etherpad")
    assert "do not make its text" in commands.refused("import", str(file), "--space", "Notes")
    file.write_text(file.read_text().replace("revs:0", "revs:7"))
    assert "revision 0 of My_notes" in commands.refused("import", str(file), "--space", "Notes")
    file.write_text("{}")
    assert "is no export of a pad" in commands.refused("import", str(file), "--space", "Notes")
    assert "notes" not in commands.told("space", "list")


@pytest.mark.parametrize("junk", ["", "Z:1", "Z:1>1+1", "Z:1>1?1$x", "Z:1>1+1$xy", "x"])
def test_junk_is_no_change_set(junk: str) -> None:
    with pytest.raises(ValueError, match="change set"):
        list(unpacked(junk))
