"""The judged set is honest: what is asked, what is right, and what is counted."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from benchmarks import judged
from benchmarks.rig.documentation import Source, read
from benchmarks.rig.judging import Judge, Question, slip

PAGES = {
    "content/en/safe-welding.md": "---\ntitle: Safe welding of pipes\naliases: [/torch-handbook]\n"
    "---\nA handbook for whoever holds a torch.\n\n## What a visor is good for\n\nEyes.\n",
    "content/en/soup.md": "# Pumpkin soups\n\nNothing of pumpkins is thrown away.\n",
    "content/en/stew.md": "# Pumpkin stews\n\nA pumpkin, a soup, a stew, some pumpkins.\n",
    "content/de/pruefung.md": "---\ntitle: 'Prüfung der Anlage'\n---\nEine Anlage und Anlagen.\n",
    "content/de/anlagen.md": "# Noch mehr\n\nViele Anlagen sind gut.\n",
    "content/ja/plan.md": "# 東京都の防災計画 (案)\n\n計画です。\n",
    "notes.txt": "no page",
}


def corpus(folder: Path) -> Path:
    """A git directory in which one page had another name and another title."""
    for path, text in PAGES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    now, old = folder / "content/en/soup.md", folder / "content/en/broth.md"
    now.rename(old)
    old.write_text(old.read_text().replace("# Pumpkin soups", "# Thrown pumpkin broth"))
    git(folder, "init", "-q")
    commit(folder)
    old.rename(now)
    commit(folder)
    now.write_text(PAGES["content/en/soup.md"])
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    git(folder, *who, "commit", "-qm", "x")


def git(folder: Path, *words: str) -> None:
    subprocess.run(("git", "-C", str(folder), *words), check=True)


def by_path(sources: list[Source]) -> dict[str, Source]:
    return {Path(one.path).name: one for one in sources}


def test_a_corpus_brings_its_old_names_along(tmp_path: Path):
    pages = by_path(read(corpus(tmp_path)))
    assert set(pages) == {Path(path).name for path in PAGES} - {"notes.txt"}
    assert pages["soup.md"].old_titles == ("Thrown pumpkin broth",)
    assert pages["safe-welding.md"].old_addresses == ("/torch-handbook",)
    assert pages["pruefung.md"].title == "Prüfung der Anlage"
    assert [pages[name].language for name in ("soup.md", "pruefung.md", "plan.md")] == [
        "en",
        "de",
        "ja",
    ]


def test_a_corpus_in_one_language_is_named_after_it(tmp_path: Path):
    for name, language in (("manual.it-it", "it"), ("manual-cn", "zh"), ("manual", "en")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "zuppa.md").write_text("# Zuppa di zucca { #zuppa }\n\nSi mangia calda.\n")
        assert [(one.language, one.title) for one in read(folder)] == [(language, "Zuppa di zucca")]


def test_questions_have_the_answers_that_their_rule_says(tmp_path: Path):
    sources = read(corpus(tmp_path))
    asked: dict[str, list[Question]] = {}
    for one in Judge(sources, seed=1).questions(per_kind=9):
        asked.setdefault(one.kind, []).append(one)

    def answers(kind: str) -> dict[str, set[str]]:
        return {
            one.text: {Path(sources[at].path).name for at in one.answers} for one in asked[kind]
        }

    assert answers("address") == {"torch handbook": {"safe-welding.md"}}
    assert answers("old title") == {"Thrown pumpkin broth": {"soup.md"}}
    assert answers("part") == {"東京都": {"plan.md"}} or answers("part") == {
        "防災計画": {"plan.md"}
    }
    assert answers("heading") == {"What a visor is good for": {"safe-welding.md"}}
    assert answers("inflected")["prüfung der anlagen"] == {"pruefung.md"}
    for kind in ("typo", "title"):
        for text in answers(kind):
            assert text.lower() not in {one.title.lower() for one in sources}


def test_the_same_seed_asks_the_same_and_halves_do_not_meet(tmp_path: Path):
    sources = read(corpus(tmp_path))
    once, again = (Judge(sources, seed=3).questions(per_kind=9) for _ in range(2))
    assert once == again and len(once) > 6
    assert {one.is_reported for one in once} == {True, False}


def test_a_slip_keeps_the_first_letter_and_changes_something():
    chance = random.Random(1)
    for _ in range(300):
        wrong = slip("proposal", chance)
        assert wrong != "proposal" and wrong[0] == "p" and abs(len(wrong) - 8) < 2


def test_a_rank_counts_as_it_should():
    asked = Question("x", "title", "en", frozenset({7}))
    outcomes = [judged.Outcome(asked, rank, 0.001, ()) for rank in (1, 2, 6, 0)]
    _, count, first, five, mrr, *_ = judged._row("all", outcomes)
    assert (count, first, five) == ("4", "0.250", "0.500")
    assert float(mrr) == round((1 + 1 / 2 + 1 / 6) / 4, 3)


async def test_all_engines_are_judged_by_the_same_questions(tmp_path: Path):
    where = corpus(tmp_path / "corpus")
    words = ["--corpus", str(where), "--half", "both", "--misses", "99"]
    shown = await judged.measured(judged.options_of(words), tmp_path)
    lines = [line.split() for line in shown.splitlines() if line.strip().startswith("all ")]
    assert len(lines) == 2 * len(judged.ENGINES)
    assert len({line[1] for line in lines}) <= 2  # as many in each half, or one more
    assert all(float(line[3]) > 0.5 for line in lines)  # success@5: it is their own corpus
