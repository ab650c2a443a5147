"""The weave against the documents that people edit: other code, and one text at every step."""

from __future__ import annotations

import random

import pytest
from pycrdt import Doc, Text

from tests.support.traces import path, replayed, trace
from wiki import text
from wiki.weave import Weave

WORDS = ("a", "bc", " ", "héé", "😀", "x😀y", "שלום", "\n")


class Author:
    """One replica; what it did since the last `pop`, as one update."""

    def __init__(self, client: int) -> None:
        self.client = client
        self.doc: Doc = Doc(client_id=client)
        self.text: Text = self.doc.get("content", type=Text)
        self._told = self.doc.get_state()

    def type(self, chance: random.Random) -> None:
        whole = str(self.text)
        at = chance.randint(0, len(whole))
        if whole and chance.random() < 0.4:
            end = min(len(whole), at + chance.randint(1, 5))
            first, last = (text.byte_offset(whole, char) for char in (at, end))
            del self.text[first:last]
        else:
            self.text.insert(text.byte_offset(whole, at), chance.choice(WORDS))

    def pop(self) -> bytes:
        update = self.doc.get_update(self._told)
        self._told = self.doc.get_state()
        return update

    def hear(self, update: bytes) -> None:
        self.doc.apply_update(update)
        self._told = self.doc.get_state()


def history(seed: int) -> list[bytes]:
    """Updates of three authors who hear of each other late and in bursts."""
    chance = random.Random(seed)
    authors = [Author(client) for client in chance.sample(range(1, 2**32), 3)]
    taken: list[bytes] = []
    heard = [0, 0, 0]
    for _ in range(60):
        number = chance.randrange(3)
        author = authors[number]
        if chance.random() < 0.4:
            for update in taken[heard[number] :]:
                author.hear(update)
            heard[number] = len(taken)
        for _ in range(chance.randint(1, 4)):
            author.type(chance)
        taken.append(author.pop())
    return taken


@pytest.mark.parametrize("seed", range(60))
def test_every_text_of_a_random_history_is_the_one_that_its_document_had(seed: int) -> None:
    weave, doc, wanted = Weave(), text.new_doc(), [""]
    for step, update in enumerate(history(seed), 1):
        weave.add(update, step)
        text.apply(doc, update)
        wanted.append(text.text_of(doc))
    assert weave.is_whole
    assert [weave.text_at(step) for step in range(len(wanted))] == wanted


@pytest.mark.parametrize("seed", range(60, 90))
def test_what_changed_between_two_steps_turns_one_text_into_the_other(seed: int) -> None:
    weave, updates = Weave(), history(seed)
    for step, update in enumerate(updates, 1):
        weave.add(update, step)
    after = seed % 20
    units = weave.text_at(after).encode("utf-16-le")
    changes = weave.changes(after, len(updates))
    for step in range(after + 1, len(updates) + 1):
        for at, removed, added in changes.get(step, []):
            rest = units[2 * (at + removed) :]
            units = units[: 2 * at] + added.encode("utf-16-le") + rest
        assert units.decode("utf-16-le") == weave.text_at(step)


@pytest.mark.parametrize("seed", range(20))
def test_updates_that_come_too_early_wait_for_what_they_refer_to(seed: int) -> None:
    updates = history(seed)
    shuffled = random.Random(seed).sample(updates, len(updates))
    weave = Weave()
    for step, update in enumerate(shuffled, 1):
        weave.add(update, step)
    assert weave.is_whole
    assert weave.text_at(len(updates)) == text.text_of_updates(updates)


def test_what_came_twice_or_in_one_piece_changes_nothing() -> None:
    updates = history(5)
    weave = Weave()
    for step, update in enumerate([*updates, *updates[::2], text.merge(updates)], 1):
        weave.add(update, step)
    assert weave.text_at(len(updates)) == weave.text_at(10**6) == text.text_of_updates(updates)
    merged = Weave()
    merged.add(text.compacted(updates), 1)
    assert merged.text_at(1) == weave.text_at(10**6) and merged.text_at(0) == ""


def test_a_recorded_history_has_its_text_at_every_hundredth_transaction() -> None:
    recorded = trace(path("sveltecomponent"))
    author, weave = Author(7), Weave()
    author.text.insert(0, recorded["startContent"])
    whole = recorded["startContent"]
    assert whole.isascii()
    for step, transaction in enumerate(recorded["txns"][:2000], 1):
        for at, deleted, inserted in transaction["patches"]:
            first, last = (text.byte_offset(whole, char) for char in (at, at + deleted))
            del author.text[first:last]
            author.text.insert(first, inserted) if inserted else None
            whole = whole[:at] + inserted + whole[at + deleted :]
        weave.add(author.pop(), step)
    for step in range(100, 2001, 100):
        assert weave.text_at(step) == replayed(recorded, step)
