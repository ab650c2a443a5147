"""Where words stood in a page's history, and an update without them."""

from __future__ import annotations

import random

import pytest

from wiki import blanking, phrase, text
from wiki.gate import Gate
from wiki.weave import Weave

SECRET = "Anna 😀 Blum"
HISTORIES = 40


def woven(updates: list[bytes]) -> Weave:
    weave = Weave()
    for step, update in enumerate(updates, 1):
        weave.add(update, step)
    return weave


def typed(*texts: str) -> list[bytes]:
    """Each made of the one before it by somebody else."""
    updates = [text.first_update(texts[0], 1)]
    for client, wanted in enumerate(texts[1:], 2):
        updates.append(text.replace_update(text.compacted(updates), client, wanted))
    return updates


def without(updates: list[bytes], words: str) -> list[bytes]:
    ranges = phrase.stands(woven(updates).runs(), words)
    return [blanking.blanked(update, ranges) or update for update in updates]


@pytest.mark.parametrize(
    "texts",
    [
        ["I am anna 😀 blum."],
        ["I am Anna.", f"I am {SECRET}."],
        ["I am Anna and 😀 and Blum.", f"I am {SECRET}."],  # what stood between went
        ["Blum", "😀 Blum", f"{SECRET}"],
        [f"{SECRET} was here", "somebody was here"],
        [f"say: {SECRET}{SECRET}!"],
    ],
)
def test_words_are_found_however_they_came_about_and_no_text_has_them_afterwards(
    texts: list[str],
) -> None:
    updates = typed(*texts)
    blank = without(updates, SECRET)
    for step in range(1, len(updates) + 1):
        shown = text.text_of_updates(blank[:step]).lower()
        assert SECRET.lower() not in shown
    assert not any(word.encode() in b"".join(blank) for word in ("Anna 😀 Bl", "anna 😀 bl"))


def test_what_was_typed_and_taken_back_before_anybody_saw_it_is_found() -> None:
    doc = text.new_doc(client=5)
    text.insert(doc, 0, "Anna Blum")
    typed_in = text.state_of(doc)
    gone = text.replace_update(typed_in, 6, "")
    merged = text.merge([typed_in, gone])  # one part of a record
    assert b"Anna Blum" in merged
    assert b"Anna Blum" not in b"".join(without([merged], "Anna Blum"))


def test_the_others_words_stay_and_later_updates_still_apply() -> None:
    updates = typed("Hello world.", f"Hello {SECRET} world.", f"Hello dear {SECRET} world, hi.")
    blank = without(updates, SECRET)
    gate = Gate()
    for update in blank:
        gate.learn(update)
    assert text.text_of_updates(blank) == "Hello dear  world, hi."
    assert phrase.stands(woven(blank).runs(), SECRET) == {}


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_in_random_histories_only_the_words_go_and_the_order_stays(seed: int) -> None:
    chance = random.Random(seed)
    updates, shown = typed("start"), ["start"]
    for client in range(2, 14):
        before = shown[-1]
        at = chance.randint(0, len(before))
        end = min(len(before), at + chance.choice((0, 0, 1, 3)))
        new = chance.choice(("xy", "yx", "x", "😀", "abc", ""))
        wanted = before[:at] + new + before[end:]
        if wanted != before:
            updates.append(text.replace_update(text.compacted(updates), client, wanted))
            shown.append(wanted)
    runs = woven(updates).runs()
    ranges = phrase.stands(runs, "xy")
    blank = [blanking.blanked(update, ranges) or update for update in updates]
    gate, doc = Gate(), text.new_doc()
    for update, then in zip(blank, shown, strict=True):
        gate.learn(update)
        text.apply(doc, update)
        assert "xy" not in text.text_of(doc)
        assert is_within(text.text_of(doc), then)
    left = [run for run in woven(blank).runs() if run.text]
    kept = {(run.client, clock) for run in left for clock in range(run.clock, run.clock + 1)}
    assert kept <= {(run.client, run.clock + n) for run in runs for n in range(run.length)}


def is_within(short: str, whole: str) -> bool:
    """Whether `short` is `whole` with characters left out."""
    rest = iter(whole)
    return all(char in rest for char in short)
